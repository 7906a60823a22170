-- Returns one page of the dead letters, oldest first.
--
-- KEYS  dead-letters
-- ARGV  page size, maximum bytes of the page, maximum bytes of an event; then, for the page after a dead letter: its
--       time, its key
-- Returns the total number of dead letters, whether more follow the page (0 or 1), and for each in the page: key, time,
-- {event id, reason, detail, attempts, channel, event}, with nil for missing fields and for a larger event.
local letters = KEYS[1]
local count, bytes, shown = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time, after = ARGV[4], ARGV[5]

-- Compares bytes, as Redis sorts. Lua's `<` depends on the server's locale.
local function is_after(a, b)
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
  -- The dead letter was replayed or discarded in the meantime: the page begins at its former rank.
  rank = redis.call('ZCOUNT', letters, '-inf', '(' .. time)
  for _, key in ipairs(redis.call('ZRANGEBYSCORE', letters, time, time)) do
    if not is_after(key, after) then
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
