-- Returns pending deliveries of a removed channel; if there are none, removes the channel from `channels`.
--
-- KEYS  channels, owed:<channel>
-- ARGV  channel, start of the grace period (milliseconds), maximum number of deliveries
-- Returns for each: attempts made, entries, notification; nothing if a process has announced the channel since.
local channels, owed = KEYS[1], KEYS[2]
local channel, grace_start, count = unpack(ARGV)

local announced = redis.call('ZSCORE', channels, channel)
if not announced or tonumber(announced) >= tonumber(grace_start) then
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
