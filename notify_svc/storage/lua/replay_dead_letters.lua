-- Replays dead letters: adds an event to the stream again, makes a delivery pending again.
--
-- KEYS  dead-letters, task-events, channels, owed:<channel>... (of all configured channels)
-- ARGV  now, retention (milliseconds), then the keys of the dead letters
-- Returns for each: 'replayed'; 'over' (the channel has delivered in the meantime, so the dead letter is removed);
-- 'stays' (the event or notification is not stored, the channel is not configured, or the delivery is in progress);
-- 'unknown' (there is no such dead letter).
local letters, stream = KEYS[1], KEYS[2]
local now, keep = ARGV[1], ARGV[2]

local channels = {}
for i = 4, #KEYS do
  channels[KEYS[i]] = true
end

local function is_kept(field)
  return field and field ~= ''
end

local function publish(letter)
  local event, id, event_id = unpack(redis.call('HMGET', letter, 'event', 'id', 'event_id'))
  if not is_kept(event) then
    return 'stays'
  end
  redis.call('XADD', stream, '*', 'id', id or event_id or '', 'event', event)
  return 'replayed'
end

local function make_pending(letter, channel, entry)
  local owed = 'owed:' .. channel
  local id, notification = unpack(redis.call('HMGET', letter, 'event_id', 'notification'))
  if not channels[owed] or not is_kept(notification) then
    return 'stays'
  end
  local event = 'event:' .. id
  -- If the event's data was deleted, it has no outcome. The event was complete, so the dead letter is still valid.
  local outcome = redis.call('HGET', event, 'outcome:' .. channel)
  if outcome == 'delivered' then
    return 'over'
  elseif outcome == 'pending' then
    -- A dead letter is added just before its delivery is completed. It must stay, or the failure would not be recorded.
    return 'stays'
  end
  if redis.call('HEXISTS', event, 'notification') == 0 then
    local owner = cjson.decode(notification).owner
    redis.call('HSET', event, 'entries', ' ' .. entry .. ' ', 'owner', owner, 'notification', notification)
  end
  redis.call('HSET', event, 'outcome:' .. channel, 'pending', 'attempts:' .. channel, 0)
  redis.call('HINCRBY', event, 'owed', 1)
  redis.call('HDEL', event, 'settled')
  redis.call('PEXPIRE', event, keep)
  redis.call('ZADD', KEYS[3], now, channel)
  redis.call('ZADD', owed, now, id)
  return 'replayed'
end

local function replay(key)
  if not redis.call('ZSCORE', letters, key) then
    return 'unknown'
  end
  local letter = 'dead-letter:' .. key
  local channel = redis.call('HGET', letter, 'channel')
  local found
  if is_kept(channel) then
    found = make_pending(letter, channel, string.sub(key, 1, -#channel - 2))
  else
    found = publish(letter)
  end
  if found ~= 'stays' then
    redis.call('ZREM', letters, key)
    redis.call('DEL', letter)
  end
  return found
end

local found = {}
for i = 3, #ARGV do
  table.insert(found, replay(ARGV[i]))
end
return found
