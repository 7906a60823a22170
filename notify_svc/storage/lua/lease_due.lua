-- Takes what is due on a channel, for a while: what is not settled by then is due again, for anybody.
--
-- KEYS  owed:<channel>
-- ARGV  channel, now, until when it is taken (milliseconds), how many at most
-- Returns for each: attempts with this one, entries, notification. The attempt counts from now on, so that one that
-- kills the process has its end too.
local owed = KEYS[1]
local channel, now, lease, count = unpack(ARGV)

local taken = {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', owed, '-inf', now, 'LIMIT', 0, count)) do
  local event = 'event:' .. id
  local outcome, entries, notification =
    unpack(redis.call('HMGET', event, 'outcome:' .. channel, 'entries', 'notification'))
  if outcome == 'pending' then
    redis.call('ZADD', owed, lease, id)
    table.insert(taken, {redis.call('HINCRBY', event, 'attempts:' .. channel, 1), entries, notification})
  else
    redis.call('ZREM', owed, id)
  end
end
return taken
