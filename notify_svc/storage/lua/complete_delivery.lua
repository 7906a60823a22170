-- Notes how attempts on one channel ended.
--
-- KEYS  owed:<channel>
-- ARGV  channel, now, time to keep (milliseconds); then for each its event id, attempt, outcome ('pending' for another
--       try), and when that is due
-- Returns for each the ids of the event's stream entries, in spaces, when no channel owes anything any more; else ''.
local owed = KEYS[1]
local channel, now, keep = unpack(ARGV)

local function settle(id, attempt, outcome, due)
  local event = 'event:' .. id
  local known, attempts, entries, owner =
    unpack(redis.call('HMGET', event, 'outcome:' .. channel, 'attempts:' .. channel, 'entries', 'owner'))
  if known ~= 'pending' then
    return ''
  end
  -- Another process has taken it since: only a success may speak for both.
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

local settled = {}
for i = 4, #ARGV, 4 do
  table.insert(settled, settle(unpack(ARGV, i, i + 3)))
end
return settled
