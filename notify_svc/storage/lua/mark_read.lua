-- Marks notifications of one user as read; those that are not unread in this inbox are passed over.
--
-- KEYS  unread:<owner>
-- ARGV  now (milliseconds), then the ids; none for all
local unread = KEYS[1]
local now = ARGV[1]

local ids = {unpack(ARGV, 2)}
if #ids == 0 then
  ids = redis.call('ZRANGE', unread, 0, -1)
end
for _, id in ipairs(ids) do
  -- A hash that has expired must not come back: it would make the event look known.
  if redis.call('ZREM', unread, id) == 1 and redis.call('EXISTS', 'event:' .. id) == 1 then
    redis.call('HSET', 'event:' .. id, 'read_time', now)
  end
end
