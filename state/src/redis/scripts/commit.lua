-- One commit: every check, then every write. The meaning is that of `apply`; a test compares the two on random histories.
-- A command that fails stops a script without undoing what it wrote, so nothing below the line "writes" may fail: the first write is one that
-- Redis refuses when it is out of memory, read-only or cannot save, and after it Redis refuses no more.
local records, ids, open, wakes, effects, due, leases, claims, seen, expiry, ledger, counters, folds = unpack(KEYS, 1, 13)
local FIXED = 13
local PRUNE = 32
local call = redis.call

local clock = call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

-- Arguments are read by their place, through a local: a function that takes the next one would cost a tenth of the script.
local argv = ARGV
local id, remember, deadline, reply = argv[1], argv[2], argv[3], argv[4]

local remembered = call('HGET', seen, id)
if remembered then
  local till, text = string.match(remembered, '^(%S+) (.*)$')
  if tonumber(till) > now then
    return {'again', now, text}
  end
end

if now > tonumber(deadline) then
  return {'late', now}
end

-- The effect that is reported about: due, attempt, fence, lease, asked again, body.
local function effect_line(key)
  local line = call('HGET', effects, key)
  if not line then
    return nil
  end
  local due_at, attempt, fence, lease, again, body = string.match(line, '^(%S+) (%S+) (%S+) (%S+) (%S+) (.*)$')
  return {due = due_at, attempt = attempt, fence = fence, lease = lease, again = again, body = body}
end

local finish, fence, outcome, again_at = argv[5], argv[6], argv[7], argv[8]
local finishing = nil
if finish ~= '' then
  finishing = effect_line(finish)
  if not finishing or finishing.fence ~= fence or finishing.lease == '-' then
    return {'stale', now}
  end
end

-- The place of the next argument.
local at = 10

local current = {}
local read, versions = {}, {}
for n = 1, tonumber(argv[9]) do
  read[n], versions[n] = argv[at], argv[at + 1]
  at = at + 2
end
if #read > 0 then
  local lines = call('HMGET', records, unpack(read))
  for n, record in ipairs(read) do
    local found = {'0', '-', '0', '-'}
    if lines[n] then
      found = {string.match(lines[n], '^(%d+) (%S+) (%d+) (%S+)$')}
    end
    if found[1] ~= versions[n] then
      return {'conflict', now}
    end
    current[record] = found
  end
end

local writes = {}
local count = tonumber(argv[at])
at = at + 1
for n = 1, count do
  local write = {record = argv[at], wake = argv[at + 1], fold = argv[at + 2], count = tonumber(argv[at + 3])}
  at = at + 4
  if write.count > 0 then
    local first, prev = argv[at], argv[at + 1]
    write.head, write.rows = argv[at + 2], at + 3
    at = at + 3 + write.count
    local old = current[write.record]
    if tonumber(first) ~= old[3] + 1 or prev ~= old[4] then
      return {'refused', now, write.record}
    end
  end
  writes[n] = write
end

local freed, frees = {}, {}
count = tonumber(argv[at])
at = at + 1
for n = 1, count do
  local name, holder = argv[at], argv[at + 1]
  at = at + 2
  frees[n] = {name, holder}
  if call('HGET', claims, name) == holder then
    freed[name] = true
  end
end
local takes = {}
count = tonumber(argv[at])
at = at + 1
for n = 1, count do
  local name, holder = argv[at], argv[at + 1]
  at = at + 2
  takes[n] = {name, holder}
  local by = call('HGET', claims, name)
  if by and by ~= holder and not freed[name] then
    return {'held', now, name, by}
  end
end

-- writes

local till = string.format('%.0f', now + tonumber(remember))
call('HSET', seen, id, till .. ' ' .. reply)
call('ZADD', expiry, till, id)
local over = call('ZRANGEBYSCORE', expiry, '-inf', now, 'LIMIT', 0, PRUNE)
if #over > 0 then
  call('HDEL', seen, unpack(over))
  call('ZREM', expiry, unpack(over))
end

local function put_effect(key, e)
  call('HSET', effects, key,
    table.concat({e.due, e.attempt, e.fence, e.lease, e.again, e.body}, ' '))
end

if finishing then
  call('ZREM', leases, finish)
  if outcome == 'done' and finishing.again ~= '1' then
    call('HDEL', effects, finish)
  else
    if outcome == 'done' then
      finishing.attempt = '0'
    else
      finishing.due = again_at
    end
    finishing.lease, finishing.again = '-', '0'
    put_effect(finish, finishing)
    call('ZADD', due, finishing.due, finish)
  end
end

count = tonumber(argv[at])
at = at + 1
for _ = 1, count do
  local key, due_at, body = argv[at], argv[at + 1], argv[at + 2]
  at = at + 3
  local e = effect_line(key)
  if e and e.lease ~= '-' then
    e.again = '1'
  else
    e = e or {attempt = '0', fence = '0', lease = '-', again = '0'}
    call('ZADD', due, due_at, key)
  end
  e.due, e.body = due_at, body
  put_effect(key, e)
end

for _, claim in ipairs(frees) do
  if freed[claim[1]] and call('HGET', claims, claim[1]) == claim[2] then
    call('HDEL', claims, claim[1])
  end
end
for _, claim in ipairs(takes) do
  call('HSET', claims, claim[1], claim[2])
end

for n, write in ipairs(writes) do
  local old = current[write.record]
  local version = string.format('%.0f', old[1] + 1)
  local head = write.head or old[4]
  local rows = string.format('%.0f', old[3] + write.count)
  call('HSET', records, write.record, table.concat({version, write.wake, rows, head}, ' '))
  call('HSET', folds, write.record, write.fold)
  if old[1] == '0' then
    call('ZADD', ids, 0, write.record)
  end
  if write.wake ~= old[2] then
    if write.wake == '-' then
      call('ZREM', wakes, write.record)
      call('ZREM', open, write.record)
    else
      call('ZADD', wakes, write.wake, write.record)
      if old[2] == '-' then
        call('ZADD', open, 0, write.record)
      end
    end
  end
  if write.count > 0 then
    call('RPUSH', KEYS[FIXED + n], unpack(argv, write.rows, write.rows + write.count - 1))
    call('RPUSH', ledger, table.concat({version, head, write.record}, ' '))
  end
end

for row = at + 1, at + tonumber(argv[at]) do
  call('RPUSH', ledger, argv[row])
end

return {'done', now, reply}
