-- Finds what a channel owes that no process has had for a while; when that is nothing, the channel is forgotten.
--
-- KEYS  channels, owed:<channel>
-- ARGV  channel, the time of its last sign at which it still counts as there (milliseconds), how many at most
-- Returns for each: attempts made, entries, notification; nothing where the channel is there again.
local channels, owed = KEYS[1], KEYS[2]
local channel, oldest, count = unpack(ARGV)

local seen = redis.call('ZSCORE', channels, channel)
if not seen or tonumber(seen) >= tonumber(oldest) then
  return {}
end
local found = {}
for _, id in ipairs(redis.call('ZRANGE', owed, 0, count - 1)) do
  local outcome, attempts, entries, notification =
    unpack(redis.call('HMGET', 'event:' .. id, 'outcome:' .. channel, 'attempts:' .. channel, 'entries', 'notification'))
  if outcome == 'pending' then
    table.insert(found, {tonumber(attempts), entries, notification})
  else
    redis.call('ZREM', owed, id)
  end
end
if redis.call('ZCARD', owed) == 0 then
  redis.call('ZREM', channels, channel)
end
return found
