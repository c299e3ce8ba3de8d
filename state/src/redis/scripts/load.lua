-- One trip: records by id and by prefix, claims, and an earlier answer. Writes nothing.
local records, open, claims, seen, folds = KEYS[1], KEYS[3], KEYS[8], KEYS[9], KEYS[13]

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

local delivery, under, from, to = ARGV[1], ARGV[2], ARGV[3], ARGV[4]

local found, asked = {}, {}
local function add(record, known)
  if asked[record] then
    return
  end
  asked[record] = true
  local line = redis.call('HGET', records, record)
  if line then
    local fold = ''
    -- What the caller holds in this version is spared it, and this script.
    if known == '0' or string.match(line, '^%d+') ~= known then
      known, fold = '0', redis.call('HGET', folds, record) or ''
    end
    found[#found + 1] = record
    found[#found + 1] = known
    found[#found + 1] = line
    found[#found + 1] = fold
  end
end

local n = 5
while ARGV[n] and ARGV[n] ~= '' do
  add(ARGV[n], ARGV[n + 1])
  n = n + 2
end
-- Behind a pair without a name: what the caller holds of open records.
local held = {}
for n = n + 2, #ARGV, 2 do
  held[ARGV[n]] = ARGV[n + 1]
end
if under == '1' then
  for _, record in ipairs(redis.call('ZRANGEBYLEX', open, from, to)) do
    add(record, held[record] or '0')
  end
end

local answered = ''
if delivery ~= '' then
  answered = redis.call('HGET', seen, delivery) or ''
end
return {now, answered, redis.call('HGETALL', claims), found}
