-- Puts something among the dead letters, once.
--
-- KEYS  dead-letters, dead-letter:<key>
-- ARGV  key, now (milliseconds), then fields and values of the hash
-- Returns 1, or 0 where it was there already.
if redis.call('ZADD', KEYS[1], 'NX', ARGV[2], ARGV[1]) == 0 then
  return 0
end
redis.call('HSET', KEYS[2], 'time', ARGV[2], unpack(ARGV, 3))
return 1
