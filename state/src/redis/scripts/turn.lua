-- Takes a turn of every limit, or of none. `Turns::take` says what that means.
local now, insists, far = tonumber(ARGV[1]), ARGV[2] == '1', tonumber(ARGV[3])
local SLACK = 60000

local spent, early = {}, false
for n, key in ipairs(KEYS) do
  local each, burst = tonumber(ARGV[2 + 2 * n]), tonumber(ARGV[3 + 2 * n])
  local known = tonumber(redis.call('GET', key) or now)
  if known <= now or known > now + far then
    known = now
  end
  spent[n] = known
  early = early or known - (burst - 1) * each > now
end

local taken = insists or not early
if taken then
  for n, key in ipairs(KEYS) do
    local each = tonumber(ARGV[2 + 2 * n])
    spent[n] = insists and math.max(spent[n], now + each) or spent[n] + each
    -- Used up is as good as forgotten; the clock may be a little behind the server's.
    redis.call('SET', key, string.format('%.0f', spent[n]), 'PX', string.format('%.0f', spent[n] - now + SLACK))
  end
end
return {taken and 1 or 0, unpack(spent)}
