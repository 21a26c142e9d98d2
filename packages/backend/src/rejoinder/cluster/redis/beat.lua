-- A server says that it lives, and hears who else does, and which of its connections it is to give up.
-- KEYS: servers, owed. ARGV: server, LOST_MS, FORGET_MS.
-- Returns how many ms ago it said so before (-1: never, or too long ago to be known), and all that live, each with how many ms
-- ago it said so; and those connections.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local before = redis.call('ZSCORE', KEYS[1], ARGV[1])
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
local listed = redis.call('ZRANGEBYSCORE', KEYS[1], now - ARGV[2], '+inf', 'WITHSCORES')
local alive = {}
for at = 1, #listed, 2 do
  alive[#alive + 1] = {listed[at], now - listed[at + 1]}
end
local owed = redis.call('SMEMBERS', KEYS[2])
redis.call('DEL', KEYS[2])
return {before and now - before or -1, alive, owed}
