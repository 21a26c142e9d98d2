-- A connection has ended. One that had been replaced leaves no session.
-- KEYS: user, session. ARGV: connection, session or '', ms that it is kept.
local others = redis.call('EXISTS', KEYS[1]) == 1
local there = redis.call('HDEL', KEYS[1], ARGV[1]) == 1
if ARGV[2] ~= '' and (there or not others) then
  redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
end
return there and 1 or 0
