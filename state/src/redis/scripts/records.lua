-- One page of records in id order.
local records, ids, folds = KEYS[1], KEYS[2], KEYS[13]
local found = {}
for _, record in ipairs(redis.call('ZRANGEBYLEX', ids, ARGV[1], ARGV[2], 'LIMIT', 0, ARGV[3])) do
  found[#found + 1] = record
  found[#found + 1] = redis.call('HGET', records, record) or ''
  found[#found + 1] = redis.call('HGET', folds, record) or ''
end
return found
