-- A server has something in a room, or only asks; who else has.
-- KEYS: room, servers. ARGV: server, '1' to listen, KEPT_MS, LOST_MS.
local time = redis.call('TIME')
local oldest = time[1] * 1000 + math.floor(time[2] / 1000) - ARGV[4]
if ARGV[2] == '1' then
  redis.call('SADD', KEYS[1], ARGV[1])
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
end
local alive = {}
for _, server in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  local beaten = redis.call('ZSCORE', KEYS[2], server)
  if server == ARGV[1] then
    beaten = nil
  elseif not beaten then
    redis.call('SREM', KEYS[1], server)
  elseif tonumber(beaten) >= oldest then
    alive[#alive + 1] = server
  end
end
return alive
