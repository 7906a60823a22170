-- Has dead letters handled once more: an event is put on the stream again, a channel that gave up owes again.
--
-- KEYS  dead-letters, task-events, channels, owed:<channel>... (of all channels there are)
-- ARGV  now, time to keep (milliseconds), then the letters' keys
-- Returns for each: 'replayed'; 'over' (the channel has delivered meanwhile: the letter is removed); 'stays' (too little
-- was kept, the channel is no more, or it is at work on it); 'unknown' (no such letter, perhaps not any more).
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

local function owe(letter, channel, entry)
  local owed = 'owed:' .. channel
  local id, notification = unpack(redis.call('HMGET', letter, 'event_id', 'notification'))
  if not channels[owed] or not is_kept(notification) then
    return 'stays'
  end
  local event = 'event:' .. id
  -- Of an event that was forgotten no outcome is known: it was settled, so what the letter says still holds.
  local outcome = redis.call('HGET', event, 'outcome:' .. channel)
  if outcome == 'delivered' then
    return 'over'
  elseif outcome == 'pending' then
    -- A letter is made just before its channel is settled: without it, that giving up would leave no trace.
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
    found = owe(letter, channel, string.sub(key, 1, -#channel - 2))
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
