-- Server-side half of the Redis store: each function is one atomic step of the store port.
--
-- Keys, all with the store's hash tag: `owner` (hash: format, epoch, link, batch), `names` and
-- `wakes` (sorted sets of actors), `meta` (hash); per actor `journal` (list: the folded records that
-- are kept, then those after base_seq) and `rows` (hash: table and key -> checksum and row; the
-- empty field holds "base_seq base_time kept kept_bytes": how many the folded records are, and how
-- long together). Records are never moved: folding one writes a few numbers.
--
-- Whoever writes names its epoch and its link, the number of its connection: both must be the
-- newest, so neither an older owner nor bytes left over from a lost connection can write.

local CHUNK = 1000 -- arguments unpacked into one call; Lua's stack is bounded
local READ_CHUNK = 64 -- most records read at once to find out which of them stay
local TIME_AT = 10 -- place of a record's time, in microseconds since 1970

local function text(number)
  return string.format('%.0f', number)
end

local function refusal(owner, epoch, link)
  local held = redis.call('HMGET', owner, 'epoch', 'link')
  if held[1] ~= epoch then
    return {'fenced', held[1] or '0'}
  end
  if held[2] ~= link then
    return {'stale'}
  end
  return nil
end

-- A step that only the newest owner may take, on its newest connection.
local function fenced(step)
  return function(keys, args)
    return refusal(keys[1], args[1], args[2]) or step(keys, args)
  end
end

-- Where the stored rows of an actor stand: base_seq, base_time (as text), and of the folded records
-- at the head of its journal how many they are and how long (nil: not known).
local function standing(rows)
  local held = redis.call('HGET', rows, '')
  if not held then
    return 0, '0', 0, 0
  end
  local base, time, kept, bytes = string.match(held, '^(%d+) (%-?%d+) ?(%d*) ?(%d*)')
  return tonumber(base) or 0, time, tonumber(kept) or 0, tonumber(bytes)
end

local function stand(rows, base, time, kept, bytes)
  local numbers = {text(base), time, text(kept), bytes and text(bytes) or 'unknown'}
  redis.call('HSET', rows, '', table.concat(numbers, ' '))
end

local function last_seq(journal, base, kept)
  return base - kept + redis.call('LLEN', journal)
end

local function in_chunks(command, key, values, from, to)
  for at = from, to, CHUNK do
    redis.call(command, key, unpack(values, at, math.min(at + CHUNK - 1, to)))
  end
end

local function size(journal, from, to)
  local bytes = 0
  for at = from, to, READ_CHUNK do
    local chunk = redis.call('LRANGE', journal, at, math.min(at + READ_CHUNK - 1, to))
    for _, record in ipairs(chunk) do
      bytes = bytes + #record
    end
  end
  return bytes
end

-- Counts back from record `to` to `from` for as long as the records fit into so many bytes: answers
-- the first that fits, and the bytes.
local function fitting(journal, from, to, bytes_max)
  local bytes = 0
  while to >= from do
    local start = math.max(from, to - READ_CHUNK + 1)
    local chunk = redis.call('LRANGE', journal, start, to)
    for at = #chunk, 1, -1 do
      if bytes + #chunk[at] > bytes_max then
        return start + at, bytes
      end
      bytes = bytes + #chunk[at]
    end
    to = start - 1
  end
  return from, bytes
end

-- How many of the first `count` records of a journal go, so that no limit (nil: no limit) is
-- exceeded, and how long the others are. `bytes` of the first `kept` ones is known, or nil. Reads
-- what is new, what goes, and few records more.
local function excess(journal, kept, bytes, count, records_max, bytes_max, since)
  local gone = math.max(0, count - (records_max or count))
  if not bytes_max then
    bytes = nil
  elseif not bytes or gone >= kept then
    gone, bytes = fitting(journal, gone, count - 1, bytes_max)
  else
    local first, more = fitting(journal, kept, count - 1, bytes_max)
    if first > kept then
      gone, bytes = first, more
    else
      bytes = bytes - size(journal, 0, gone - 1) + more
    end
  end
  local chunk_size = 1
  while gone < count and (bytes_max or since) do
    local to = math.min(gone + chunk_size, count) - 1
    for _, record in ipairs(redis.call('LRANGE', journal, gone, to)) do
      local is_old = since
        and (#record < TIME_AT + 7 or struct.unpack('<i8', record, TIME_AT) < since)
      if not is_old and not (bytes_max and bytes > bytes_max) then
        return gone, bytes
      end
      gone = gone + 1
      bytes = bytes and bytes - #record
    end
    chunk_size = math.min(chunk_size * 2, READ_CHUNK)
  end
  return gone, bytes
end

-- keys: owner; args: format. A new owner: epoch and link grow.
local function open(keys, args)
  local format = redis.call('HGET', keys[1], 'format')
  if format == '1' then
    redis.call('HSET', keys[1], 'format', args[1])
  elseif format ~= args[1] then
    if redis.call('EXISTS', keys[1]) == 1 then
      return {'format', format or 'of another program'}
    end
    redis.call('HSET', keys[1], 'format', args[1], 'batch', '0')
  end
  local epoch = redis.call('HINCRBY', keys[1], 'epoch', 1)
  local link = redis.call('HINCRBY', keys[1], 'link', 1)
  return {'ok', epoch, link, redis.call('HGET', keys[1], 'batch')}
end

-- keys: owner; args: epoch. A new connection of the same owner; tells the last batch written.
local function attach(keys, args)
  local held = redis.call('HMGET', keys[1], 'epoch', 'batch')
  if held[1] ~= args[1] then
    return {'fenced', held[1] or '0'}
  end
  return {'ok', redis.call('HINCRBY', keys[1], 'link', 1), held[2]}
end

-- keys: owner, names, wakes, then journal and rows of each actor;
-- args: epoch, link, number of the first batch, plan, names of the actors, records.
-- plan: sizes of the batches, and per record the actor's place, the number, the wake or -1.
-- Batches are written in order up to the first that does not continue its actors' journals.
local function append(keys, args)
  local before = tonumber(args[3]) - 1
  if tonumber(redis.call('HGET', keys[1], 'batch')) ~= before then
    return {'gap'}
  end
  local plan = cjson.decode(args[4])
  local count = (#keys - 3) / 2
  local lasts, is_new = {}, {}
  for actor = 1, count do
    local base, _, kept = standing(keys[3 + actor * 2])
    lasts[actor] = last_seq(keys[2 + actor * 2], base, kept)
    is_new[actor] = lasts[actor] == 0
  end
  local written, at, conflict = 0, 0, nil
  for batch, size in ipairs(plan.sizes) do
    for record = at + 1, at + size do
      local actor = plan.actors[record]
      local expected = lasts[actor] + 1
      if plan.seqs[record] ~= expected then
        conflict = {'conflict', batch - 1, record, expected}
        break
      end
      lasts[actor] = expected
    end
    if conflict then
      break
    end
    at = at + size
    written = batch
  end
  for record = 1, at do
    local actor = plan.actors[record]
    local name = args[4 + actor]
    redis.call('RPUSH', keys[2 + actor * 2], args[4 + count + record])
    if is_new[actor] then
      is_new[actor] = false
      redis.call('ZADD', keys[2], 0, name)
    end
    local wake = plan.wakes[record]
    if wake == 0 then
      redis.call('ZREM', keys[3], name)
    elseif wake > 0 then
      redis.call('ZADD', keys[3], wake, name)
    end
  end
  redis.call('HSET', keys[1], 'batch', text(before + written))
  return conflict or {'ok', written}
end

-- keys: owner, journal, rows;
-- args: epoch, link, through, time, most records and bytes to keep, earliest time to keep (each
-- empty for no limit), number of deletes, fields to delete, then fields and values to set.
local function fold(keys, args)
  local journal, rows = keys[2], keys[3]
  local through = tonumber(args[3])
  local records_max, bytes_max, since = tonumber(args[5]), tonumber(args[6]), tonumber(args[7])
  local base, _, kept, bytes = standing(rows)
  if through <= base then
    return {'ok'}
  end
  local last = last_seq(journal, base, kept)
  if through > last then
    return {'conflict', last}
  end
  local count = kept + through - base
  local gone
  gone, bytes = excess(journal, kept, bytes, count, records_max, bytes_max, since)
  local sets_at = 9 + tonumber(args[8])
  in_chunks('HDEL', rows, args, 9, sets_at - 1)
  in_chunks('HSET', rows, args, sets_at, #args)
  stand(rows, through, args[4], count - gone, bytes)
  redis.call('LTRIM', journal, gone, -1)
  return {'ok'}
end

local function trim_actor(journal, rows, records_max, bytes_max, since)
  local base, time, kept, bytes = standing(rows)
  local gone
  gone, bytes = excess(journal, kept, bytes, kept, records_max, bytes_max, since)
  if gone > 0 then
    stand(rows, base, time, kept - gone, bytes)
    redis.call('LTRIM', journal, gone, -1)
  end
end

-- keys: owner, then journal and rows of each actor; args: epoch, link, then the limits of each as
-- in fold. An actor whose keys are not ours stays as it is.
local function trim(keys, args)
  for at = 2, #keys, 2 do
    local limits_at = 3 + (at - 2) / 2 * 3
    local records_max, bytes_max, since = unpack(args, limits_at, limits_at + 2)
    pcall(trim_actor, keys[at], keys[at + 1],
      tonumber(records_max), tonumber(bytes_max), tonumber(since))
  end
  return {'ok'}
end

-- keys: owner, meta; args: epoch, link, key, value.
local function put(keys, args)
  redis.call('HSET', keys[2], args[3], args[4])
  return {'ok'}
end

-- keys: journal and rows of each actor. An actor whose keys are not ours answers an error.
local function load(keys)
  local answers = {}
  for at = 1, #keys, 2 do
    local rows = redis.pcall('HGETALL', keys[at + 1])
    local kept = rows.err and 0 or select(3, standing(keys[at + 1]))
    answers[#answers + 1] = {rows, redis.pcall('LRANGE', keys[at], kept, -1)}
  end
  return answers
end

-- keys: journal, rows; args: after, limit.
-- Answers the number before the first record, and the records.
local function history(keys, args)
  local base, _, kept = standing(keys[2])
  local after, limit = math.max(tonumber(args[1]), base - kept), tonumber(args[2])
  local from = after - base + kept
  return {after, limit > 0 and redis.call('LRANGE', keys[1], from, from + limit - 1) or {}}
end

redis.register_function('LIBRARY_open', open)
redis.register_function('LIBRARY_attach', attach)
redis.register_function('LIBRARY_append', fenced(append))
redis.register_function('LIBRARY_put', fenced(put))
-- Trimming is what frees memory again.
redis.register_function{
  function_name = 'LIBRARY_fold', callback = fenced(fold), flags = {'allow-oom'}}
redis.register_function{
  function_name = 'LIBRARY_trim', callback = fenced(trim), flags = {'allow-oom'}}
redis.register_function{function_name = 'LIBRARY_load', callback = load, flags = {'no-writes'}}
redis.register_function{function_name = 'LIBRARY_history', callback = history, flags = {'no-writes'}}
