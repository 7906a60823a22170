-- Discards dead letters permanently.
--
-- KEYS  dead-letters
-- ARGV  keys of the dead letters
-- Returns how many of them existed.
local discarded = 0
for _, key in ipairs(ARGV) do
  if redis.call('ZREM', KEYS[1], key) == 1 then
    redis.call('DEL', 'dead-letter:' .. key)
    discarded = discarded + 1
  end
end
return discarded
