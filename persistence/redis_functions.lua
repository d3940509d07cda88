-- Server-side half of the Redis store: each function is one atomic step of the store port.
--
-- Keys, all with the store's hash tag: `owner` (hash: format, epoch, link, batch), `names` and
-- `wakes` (sorted sets of actors), `meta` (hash); per actor `journal` (list: the records after
-- base_seq), `history` (list: folded records that are kept, up to base_seq) and `rows` (hash:
-- table and key -> checksum and row; the empty field holds "base_seq base_time").
--
-- Whoever writes names its epoch and its link, the number of its connection: both must be the
-- newest, so neither an older owner nor bytes left over from a lost connection can write.

local CHUNK = 1000 -- arguments unpacked into one call; Lua's stack is bounded

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

local function base_seq(rows)
  local held = redis.call('HGET', rows, '')
  return held and tonumber(string.match(held, '^%d+')) or 0
end

local function in_chunks(command, key, values, from, to)
  for at = from, to, CHUNK do
    redis.call(command, key, unpack(values, at, math.min(at + CHUNK - 1, to)))
  end
end

-- keys: owner; args: format. A new owner: epoch and link grow.
local function open(keys, args)
  local format = redis.call('HGET', keys[1], 'format')
  if format ~= args[1] then
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
  local refused = refusal(keys[1], args[1], args[2])
  if refused then
    return refused
  end
  local before = tonumber(args[3]) - 1
  if tonumber(redis.call('HGET', keys[1], 'batch')) ~= before then
    return {'gap'}
  end
  local plan = cjson.decode(args[4])
  local count = (#keys - 3) / 2
  local lasts, is_new = {}, {}
  for actor = 1, count do
    lasts[actor] = base_seq(keys[3 + actor * 2]) + redis.call('LLEN', keys[2 + actor * 2])
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

-- keys: owner, journal, history, rows;
-- args: epoch, link, through, time, records to keep, number of deletes, fields to delete,
-- then fields and values to set.
local function fold(keys, args)
  local refused = refusal(keys[1], args[1], args[2])
  if refused then
    return refused
  end
  local journal, history, rows = keys[2], keys[3], keys[4]
  local through, keep = tonumber(args[3]), tonumber(args[5])
  local base = base_seq(rows)
  if through <= base then
    return {'ok'}
  end
  local last = base + redis.call('LLEN', journal)
  if through > last then
    return {'conflict', last}
  end
  local sets_at = 7 + tonumber(args[6])
  in_chunks('HDEL', rows, args, 7, sets_at - 1)
  in_chunks('HSET', rows, args, sets_at, #args)
  redis.call('HSET', rows, '', text(through) .. ' ' .. args[4])
  if keep > 0 then
    local from = math.max(0, through - base - keep)
    local kept = redis.call('LRANGE', journal, from, through - base - 1)
    in_chunks('RPUSH', history, kept, 1, #kept)
    redis.call('LTRIM', history, -keep, -1)
  else
    redis.call('DEL', history)
  end
  redis.call('LTRIM', journal, through - base, -1)
  return {'ok'}
end

-- keys: owner, meta; args: epoch, link, key, value.
local function put(keys, args)
  local refused = refusal(keys[1], args[1], args[2])
  if refused then
    return refused
  end
  redis.call('HSET', keys[2], args[3], args[4])
  return {'ok'}
end

-- keys: journal and rows of each actor. An actor whose keys are not ours answers an error.
local function load(keys)
  local answers = {}
  for at = 1, #keys, 2 do
    local journal = redis.pcall('LRANGE', keys[at], 0, -1)
    local rows = redis.pcall('HGETALL', keys[at + 1])
    answers[#answers + 1] = {rows, journal}
  end
  return answers
end

-- keys: journal, history, rows; args: after, limit.
-- Answers the number before the first record, and the records.
local function history(keys, args)
  local base = base_seq(keys[3])
  local kept = redis.call('LLEN', keys[2])
  local after = math.max(tonumber(args[1]), base - kept)
  local limit = tonumber(args[2])
  local records = {}
  if limit > 0 and after < base then
    local from = kept - (base - after)
    records = redis.call('LRANGE', keys[2], from, from + limit - 1)
  end
  if #records < limit then
    local from = math.max(after, base) - base
    for _, record in ipairs(redis.call('LRANGE', keys[1], from, from + limit - #records - 1)) do
      records[#records + 1] = record
    end
  end
  return {after, records}
end

redis.register_function('LIBRARY_open', open)
redis.register_function('LIBRARY_attach', attach)
redis.register_function('LIBRARY_append', append)
redis.register_function('LIBRARY_put', put)
-- Trimming is what frees memory again.
redis.register_function{function_name = 'LIBRARY_fold', callback = fold, flags = {'allow-oom'}}
redis.register_function{function_name = 'LIBRARY_load', callback = load, flags = {'no-writes'}}
redis.register_function{function_name = 'LIBRARY_history', callback = history, flags = {'no-writes'}}
