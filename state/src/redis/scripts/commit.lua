-- One commit: every check, then every write. The meaning is that of `apply`; a test compares the two on random histories.
-- A command that fails stops a script without undoing what it wrote, so nothing below the line "writes" may fail: the first write is one that
-- Redis refuses when it is out of memory, read-only or cannot save, and after it Redis refuses no more.
local records, ids, open, wakes, effects, due, leases, claims, seen, expiry, ledger, counters, folds = unpack(KEYS, 1, 13)
local FIXED = 13
local PRUNE = 32
local call = redis.call

local clock = call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

local at = 0
local function take()
  at = at + 1
  return ARGV[at]
end

local id, remember, deadline, reply = take(), take(), take(), take()

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

local finish, fence, outcome, again_at = take(), take(), take(), take()
local finishing = nil
if finish ~= '' then
  finishing = effect_line(finish)
  if not finishing or finishing.fence ~= fence or finishing.lease == '-' then
    return {'stale', now}
  end
end

local current = {}
local read, versions = {}, {}
for n = 1, tonumber(take()) do
  read[n], versions[n] = take(), take()
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
for n = 1, tonumber(take()) do
  local write = {record = take(), wake = take(), fold = take(), count = tonumber(take()), rows = {}}
  if write.count > 0 then
    write.first, write.prev, write.head = take(), take(), take()
    for row = 1, write.count do
      write.rows[row] = take()
    end
    local old = current[write.record]
    if tonumber(write.first) ~= old[3] + 1 or write.prev ~= old[4] then
      return {'refused', now, write.record}
    end
  end
  writes[n] = write
end

local freed, frees = {}, {}
for n = 1, tonumber(take()) do
  local name, holder = take(), take()
  frees[n] = {name, holder}
  if call('HGET', claims, name) == holder then
    freed[name] = true
  end
end
local takes = {}
for n = 1, tonumber(take()) do
  local name, holder = take(), take()
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

for _ = 1, tonumber(take()) do
  local key, due_at, body = take(), take(), take()
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
  for _, row in ipairs(write.rows) do
    call('RPUSH', KEYS[FIXED + n], row)
  end
  if write.count > 0 then
    call('RPUSH', ledger, table.concat({version, head, write.record}, ' '))
  end
end

for _ = 1, tonumber(take()) do
  call('RPUSH', ledger, take())
end

return {'done', now, reply}
