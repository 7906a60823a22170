-- Leases due deliveries of a channel. After the lease, an incomplete delivery is due again, for any process.
--
-- KEYS  owed:<channel>
-- ARGV  channel, now, end of the lease (milliseconds), maximum number of deliveries
-- Returns for each: attempts including this one, entries, notification. The attempt is counted before it is made, so
-- that a delivery that crashes the process reaches the maximum attempts too.
local owed = KEYS[1]
local channel, now, lease, count = unpack(ARGV)

local leased = {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', owed, '-inf', now, 'LIMIT', 0, count)) do
  local event = 'event:' .. id
  local outcome, entries, notification =
    unpack(redis.call('HMGET', event, 'outcome:' .. channel, 'entries', 'notification'))
  if outcome == 'pending' then
    redis.call('ZADD', owed, lease, id)
    table.insert(leased, {redis.call('HINCRBY', event, 'attempts:' .. channel, 1), entries, notification})
  else
    redis.call('ZREM', owed, id)
  end
end
return leased
