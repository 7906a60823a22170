-- Puts something among the dead letters, once; the oldest make room where there are too many.
--
-- KEYS  dead-letters
-- ARGV  key, now (milliseconds), how many there may be, then fields and values of the hash
-- Returns the keys of those that made room, or nil where it was there already.
local letters = KEYS[1]
local key, now, limit = ARGV[1], ARGV[2], tonumber(ARGV[3])

if redis.call('ZSCORE', letters, key) then
  return nil
end
local surplus = redis.call('ZCARD', letters) + 1 - limit
local oldest = surplus > 0 and redis.call('ZRANGE', letters, 0, surplus - 1) or {}
-- First, since a Redis that is full refuses this alone.
redis.call('HSET', 'dead-letter:' .. key, 'time', now, unpack(ARGV, 4))
redis.call('ZADD', letters, now, key)
for _, each in ipairs(oldest) do
  redis.call('ZREM', letters, each)
  redis.call('DEL', 'dead-letter:' .. each)
end
return oldest
