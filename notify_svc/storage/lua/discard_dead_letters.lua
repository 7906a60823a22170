-- Throws dead letters away.
--
-- KEYS  dead-letters
-- ARGV  the letters' keys
-- Returns how many there were.
local discarded = 0
for _, key in ipairs(ARGV) do
  if redis.call('ZREM', KEYS[1], key) == 1 then
    redis.call('DEL', 'dead-letter:' .. key)
    discarded = discarded + 1
  end
end
return discarded
