-- Marks notifications of one user as read; ignores ids that are not unread in this inbox.
--
-- KEYS  unread:<owner>
-- ARGV  now (milliseconds), then the ids; no ids mean all
local unread = KEYS[1]
local now = ARGV[1]

local ids = {unpack(ARGV, 2)}
if #ids == 0 then
  ids = redis.call('ZRANGE', unread, 0, -1)
end
for _, id in ipairs(ids) do
  -- HSET must not create the hash of an expired event again: the event would count as recorded.
  if redis.call('ZREM', unread, id) == 1 and redis.call('EXISTS', 'event:' .. id) == 1 then
    redis.call('HSET', 'event:' .. id, 'read_time', now)
  end
end
