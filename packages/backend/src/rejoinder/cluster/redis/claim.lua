-- A connection comes in, or says again that it is there. The newest wins, and the others are told where they are.
-- KEYS: user, session, servers. ARGV: connection, server, device, since ('0': it is new), room, character, policy,
--   KEPT_MS, what channels begin with, LOST_MS, what owed sets begin with, FORGET_MS.
-- Returns its place ('0': a newer one is there), the session or '', that of a connection whose server died, or '', and those
-- of other servers that it replaces, each with its server.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local new = ARGV[4] == '0'
local since = new and now or tonumber(ARGV[4])
local others = redis.call('HGETALL', KEYS[1])
local kept = {}
for at = 1, #others, 2 do
  local id, raw = others[at], others[at + 1]
  if id ~= ARGV[1] then
    local other = cjson.decode(raw)
    if ARGV[7] == 'single' or (ARGV[7] == 'per-device' and other[2] == ARGV[3]) then
      if new and other[3] >= since then since = other[3] + 1 end
      if other[3] > since then
        redis.call('HDEL', KEYS[1], ARGV[1])
        return {'0', '', '', {}}
      end
      kept[#kept + 1] = {id, raw, other}
    end
  end
end
local orphan, elsewhere = '', {}
for _, each in ipairs(kept) do
  redis.call('HDEL', KEYS[1], each[1])
  local beaten = redis.call('ZSCORE', KEYS[3], each[3][1])
  local heard = redis.call('PUBLISH', ARGV[9] .. each[3][1], 'replaced ' .. each[1])
  if each[3][1] ~= ARGV[2] then
    redis.call('SADD', ARGV[11] .. each[3][1], each[1])
    redis.call('PEXPIRE', ARGV[11] .. each[3][1], ARGV[12])
    elsewhere[#elsewhere + 1] = {each[3][1], each[1]}
  end
  if each[3][1] ~= ARGV[2] and (heard == 0 or not beaten or tonumber(beaten) < now / 1000 - ARGV[10]) then
    -- It ended when its server was last heard of.
    orphan = cjson.encode({each[3][4], each[3][5], math.floor(tonumber(beaten) or now / 1000)})
  end
end
local place = string.format('%.0f', since)
redis.call('HSET', KEYS[1], ARGV[1], '[' .. cjson.encode(ARGV[2]) .. ',' .. cjson.encode(ARGV[3]) .. ',' .. place .. ','
  .. cjson.encode(ARGV[5]) .. ',' .. cjson.encode(ARGV[6]) .. ']')
redis.call('PEXPIRE', KEYS[1], ARGV[8])
local session = new and redis.call('GETDEL', KEYS[2]) or ''
return {place, session or '', orphan, elsewhere}
