-- Takes due effects on a lease and names due records. Reads only as much as it answers, whatever else is stored.
local records, wakes, effects, due, leases = KEYS[1], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local seen, expiry, counters = KEYS[9], KEYS[10], KEYS[12]
local PRUNE = 100

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

local today, limit, limit_wakes, lease = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
-- Who asked has given up waiting: what they took now, nobody would do until their lease is over.
if now > tonumber(ARGV[5]) then
  limit = 0
end

local over = redis.call('ZRANGEBYSCORE', expiry, '-inf', now, 'LIMIT', 0, PRUNE)
if #over > 0 then
  redis.call('HDEL', seen, unpack(over))
  redis.call('ZREM', expiry, unpack(over))
end

local taken = redis.call('ZRANGEBYSCORE', leases, '-inf', now, 'LIMIT', 0, limit)
for _, key in ipairs(redis.call('ZRANGEBYSCORE', due, '-inf', today, 'LIMIT', 0, limit - #taken)) do
  taken[#taken + 1] = key
end

local till = string.format('%.0f', now + lease)
local claimed = {}
for _, key in ipairs(taken) do
  local line = redis.call('HGET', effects, key)
  if line then
    local due_at, attempt, body = string.match(line, '^(%S+) (%S+) %S+ %S+ %S+ (.*)$')
    local fence = string.format('%.0f', redis.call('HINCRBY', counters, 'fence', 1))
    line = table.concat({due_at, string.format('%.0f', attempt + 1), fence, till, '0', body}, ' ')
    redis.call('HSET', effects, key, line)
    redis.call('ZREM', due, key)
    redis.call('ZADD', leases, till, key)
    claimed[#claimed + 1] = key
    claimed[#claimed + 1] = line
  end
end

local named = {}
local ready = redis.call('ZRANGEBYSCORE', wakes, '-inf', today, 'LIMIT', 0, limit_wakes + 1)
for n = 1, math.min(#ready, limit_wakes) do
  local line = redis.call('HGET', records, ready[n])
  if line then
    named[#named + 1] = ready[n]
    named[#named + 1] = string.match(line, '^%d+')
  end
end

-- When there is more to do, in `Clock` time.
local clock_now = tonumber(today)
local ahead = nil
local function sooner(score)
  if score and (not ahead or score < ahead) then
    ahead = score
  end
end
if #ready > limit_wakes then
  ahead = clock_now
end
sooner(tonumber(redis.call('ZRANGEBYSCORE', wakes, '(' .. today, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)[2]))
sooner(tonumber(redis.call('ZRANGE', due, 0, 0, 'WITHSCORES')[2]))
local first_end = tonumber(redis.call('ZRANGE', leases, 0, 0, 'WITHSCORES')[2])
sooner(first_end and first_end - now + clock_now)

return {now, ahead and string.format('%.0f', math.max(ahead, clock_now)) or '', claimed, named}
