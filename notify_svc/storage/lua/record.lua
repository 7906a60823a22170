-- Records events with a pending delivery for each channel. A repeated event is recorded only once.
--
-- KEYS  notifications, channels, owed:<channel>...
-- The keys of an event and a user are derived from the event, so the script does not support Redis Cluster.
-- ARGV  now, retention (milliseconds), inbox limit; then for each event: stream entry id, notification
-- Returns 'new' for a new event, 'settled' for a complete one (each channel has delivered it or given up), and for an
-- event with pending deliveries: 'under_way' if this entry is known, 'joined' if it is new (all entries of the event are
-- acknowledged when it is complete), or 'surplus' if the event has too many entries.
local now, keep, limit = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])

-- Deletes the data of a complete event that leaves the inbox. The mark `settled` stays: it identifies a repeated event.
local function forget(id)
  local event = 'event:' .. id
  if redis.call('HEXISTS', event, 'settled') == 1 then
    redis.call('DEL', event)
    redis.call('HSET', event, 'settled', 1)
    redis.call('PEXPIRE', event, keep)
  end
end

local function trim(inbox, unread)
  redis.call('ZREMRANGEBYSCORE', inbox, '-inf', '(' .. now - keep)
  redis.call('ZREMRANGEBYSCORE', unread, '-inf', '(' .. now - keep)
  local surplus = redis.call('ZCARD', inbox) - limit
  if surplus > 0 then
    for _, id in ipairs(redis.call('ZRANGE', inbox, 0, surplus - 1)) do
      redis.call('ZREM', inbox, id)
      redis.call('ZREM', unread, id)
      forget(id)
    end
  end
end

local function record_new(event, entry, notification, json)
  redis.call(
    'HSET', event, 'entries', ' ' .. entry .. ' ', 'owed', #KEYS - 2, 'owner', notification.owner, 'notification', json
  )
  redis.call('PEXPIRE', event, keep)
  for i = 3, #KEYS do
    local channel = string.sub(KEYS[i], #'owed:' + 1)
    redis.call('ZADD', KEYS[2], now, channel)
    redis.call('HSET', event, 'outcome:' .. channel, 'pending', 'attempts:' .. channel, 0)
    redis.call('ZADD', KEYS[i], now, notification.id)
  end
  redis.call('XADD', KEYS[1], '*', 'id', notification.id, 'owner', notification.owner, 'notification', json)

  local inbox, unread = 'inbox:' .. notification.owner, 'unread:' .. notification.owner
  for _, sorted in ipairs({inbox, unread}) do
    redis.call('ZADD', sorted, notification.create_time_ms, notification.id)
    redis.call('PEXPIRE', sorted, keep)
  end
  trim(inbox, unread)
end

local function record(entry, json)
  local notification = cjson.decode(json)
  local event = 'event:' .. notification.id
  local entries, settled = unpack(redis.call('HMGET', event, 'entries', 'settled'))
  if settled then
    return 'settled'
  elseif not entries then
    record_new(event, entry, notification, json)
    return 'new'
  elseif string.find(entries, ' ' .. entry .. ' ', 1, true) then
    return 'under_way'
  elseif #entries > 512 then
    return 'surplus'
  end
  redis.call('HSET', event, 'entries', entries .. entry .. ' ')
  return 'joined'
end

local found = {}
for i = 4, #ARGV, 2 do
  table.insert(found, record(ARGV[i], ARGV[i + 1]))
end
return found
