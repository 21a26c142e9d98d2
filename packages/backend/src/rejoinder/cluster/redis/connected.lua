-- How many connections a user has on servers that live.
-- KEYS: user, servers. ARGV: LOST_MS.
local time = redis.call('TIME')
local oldest = time[1] * 1000 + math.floor(time[2] / 1000) - ARGV[1]
local count = 0
for _, raw in ipairs(redis.call('HVALS', KEYS[1])) do
  local beaten = redis.call('ZSCORE', KEYS[2], cjson.decode(raw)[1])
  if beaten and tonumber(beaten) >= oldest then count = count + 1 end
end
return count
