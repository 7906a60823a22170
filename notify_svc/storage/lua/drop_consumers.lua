-- Drops consumers that are gone: every process has a name of its own, and nobody else would take them off the list.
--
-- KEYS  task-events
-- ARGV  group, how long a consumer was idle to be called gone (milliseconds)
-- Returns how many were dropped. One with pending entries stays, since those would go with it.
local dropped = 0
for _, flat in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
  local consumer = {}
  for i = 1, #flat, 2 do
    consumer[flat[i]] = flat[i + 1]
  end
  if consumer.pending == 0 and consumer.idle > tonumber(ARGV[2]) then
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], consumer.name)
    dropped = dropped + 1
  end
end
return dropped
