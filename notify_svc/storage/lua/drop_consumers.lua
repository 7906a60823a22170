-- Drops idle consumers: each process has its own consumer name, so the names of ended processes would accumulate.
--
-- KEYS  task-events
-- ARGV  group, idle time after which a consumer is dropped (milliseconds)
-- Returns how many were dropped. Consumers with pending entries are kept: Redis would delete their pending entries.
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
