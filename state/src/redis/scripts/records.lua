-- One page of records in id order.
local records, ids = KEYS[1], KEYS[2]
local found = {}
for _, record in ipairs(redis.call('ZRANGEBYLEX', ids, ARGV[1], ARGV[2], 'LIMIT', 0, ARGV[3])) do
  found[#found + 1] = record
  found[#found + 1] = redis.call('HGET', records, record) or ''
end
return found
