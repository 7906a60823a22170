-- Stores the results of attempts on one channel.
--
-- KEYS  owed:<channel>
-- ARGV  channel, now, retention (milliseconds); then for each attempt: event id, attempt number, outcome ('pending' for
--       a retry), due time of the retry
-- Returns for each the event's stream entry ids, between spaces, if the event is now complete; else ''.
local owed = KEYS[1]
local channel, now, keep = unpack(ARGV)

local function complete(id, attempt, outcome, due)
  local event = 'event:' .. id
  local known, attempts, entries, owner =
    unpack(redis.call('HMGET', event, 'outcome:' .. channel, 'attempts:' .. channel, 'entries', 'owner'))
  if known ~= 'pending' then
    return ''
  end
  -- Another process has leased the delivery since then: accept only a success.
  if attempts ~= attempt and outcome ~= 'delivered' then
    return ''
  end
  redis.call('HSET', event, 'outcome:' .. channel, outcome, 'time:' .. channel, now)
  if outcome == 'pending' then
    redis.call('ZADD', owed, due, id)
    return ''
  end
  redis.call('ZREM', owed, id)
  if redis.call('HINCRBY', event, 'owed', -1) > 0 then
    return ''
  end
  local is_shown = redis.call('ZSCORE', 'inbox:' .. owner, id)
  if not is_shown then
    redis.call('DEL', event)
  end
  redis.call('HSET', event, 'settled', 1)
  if not is_shown then
    redis.call('PEXPIRE', event, keep)
  end
  return entries
end

local completed = {}
for i = 4, #ARGV, 4 do
  table.insert(completed, complete(unpack(ARGV, i, i + 3)))
end
return completed
