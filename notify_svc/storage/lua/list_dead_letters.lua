-- Reads one page of the dead letters, the oldest first.
--
-- KEYS  dead-letters
-- ARGV  how many, of how many bytes together, of how many bytes an event is shown; then, to go on after one: its time,
--       its key
-- Returns how many letters there are, whether there are more behind the page (0 or 1), and for each of the page: key,
-- time, {event id, reason, detail, attempts, channel, event}, where nil stands for what is missing.
local letters = KEYS[1]
local count, bytes, shown = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time, after = ARGV[4], ARGV[5]

-- As Redis sorts: by bytes. Lua's own `<` follows the server's locale.
local function is_behind(a, b)
  for i = 1, math.min(#a, #b) do
    local x, y = string.byte(a, i), string.byte(b, i)
    if x ~= y then
      return x > y
    end
  end
  return #a > #b
end

local function first_rank()
  if not after then
    return 0
  end
  local rank = redis.call('ZRANK', letters, after)
  if rank then
    return rank + 1
  end
  -- It was replayed or discarded meanwhile: the page begins where it would stand.
  rank = redis.call('ZCOUNT', letters, '-inf', '(' .. time)
  for _, key in ipairs(redis.call('ZRANGEBYSCORE', letters, time, time)) do
    if not is_behind(key, after) then
      rank = rank + 1
    end
  end
  return rank
end

local function read(key)
  local letter = 'dead-letter:' .. key
  local fields = redis.call('HMGET', letter, 'event_id', 'reason', 'detail', 'attempts', 'channel')
  fields[6] = redis.call('HSTRLEN', letter, 'event') <= shown and redis.call('HGET', letter, 'event')
  return fields
end

local rank = first_rank()
local total = redis.call('ZCARD', letters)
local page = {}
for i = rank, math.min(rank + count, total) - 1 do
  local key, scored = unpack(redis.call('ZRANGE', letters, i, i, 'WITHSCORES'))
  local fields = read(key)
  bytes = bytes - #key - #(fields[3] or '') - #(fields[6] or '')
  if bytes < 0 and #page > 0 then
    break
  end
  table.insert(page, {key, scored, fields})
end
return {total, rank + #page < total and 1 or 0, page}
