-- Returns one page of an inbox, newest first, after it drops expired notifications.
--
-- KEYS  inbox:<owner>, unread:<owner>
-- ARGV  the oldest create time to keep (milliseconds), page size; then, for the page after a notification: its create
--       time, its id
-- Returns the number of unread notifications, and the hash of each notification in the page as a flat list.
local inbox, unread = KEYS[1], KEYS[2]
local oldest, count, created, after = unpack(ARGV)

redis.call('ZREMRANGEBYSCORE', inbox, '-inf', '(' .. oldest)
redis.call('ZREMRANGEBYSCORE', unread, '-inf', '(' .. oldest)
local ids
local rank = after and redis.call('ZREVRANK', inbox, after)
if rank then
  ids = redis.call('ZREVRANGE', inbox, rank + 1, rank + count)
else
  ids = redis.call('ZREVRANGEBYSCORE', inbox, after and '(' .. created or '+inf', '-inf', 'LIMIT', 0, count)
end
local page = {}
for _, id in ipairs(ids) do
  table.insert(page, redis.call('HGETALL', 'event:' .. id))
end
return {redis.call('ZCARD', unread), page}
