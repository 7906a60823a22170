-- Adds a dead letter, unless its key exists already; drops the oldest ones above the limit.
--
-- KEYS  dead-letters
-- ARGV  key, now (milliseconds), limit, then fields and values of the hash
-- Returns the keys of the dropped ones, or nil if the key exists already.
local letters = KEYS[1]
local key, now, limit = ARGV[1], ARGV[2], tonumber(ARGV[3])

if redis.call('ZSCORE', letters, key) then
  return nil
end
local surplus = redis.call('ZCARD', letters) + 1 - limit
local oldest = surplus > 0 and redis.call('ZRANGE', letters, 0, surplus - 1) or {}
-- HSET comes first: if Redis is out of memory, it fails before anything has changed.
redis.call('HSET', 'dead-letter:' .. key, 'time', now, unpack(ARGV, 4))
redis.call('ZADD', letters, now, key)
for _, each in ipairs(oldest) do
  redis.call('ZREM', letters, each)
  redis.call('DEL', 'dead-letter:' .. each)
end
return oldest
