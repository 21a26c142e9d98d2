// The chat's path through Node's Socket.IO server, in memory: the token is checked, members join, sends are acked and
// broadcast. Nothing is validated, stored or deduplicated: what is left is what the server itself costs.

import { createHmac, timingSafeEqual } from 'node:crypto'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'

const { Server } = createRequire(new URL('../../packages/frontend/package.json', import.meta.url))(
  'socket.io',
)

const KEPT = 50
// The chat joins what a character writes for so long.
const CHUNK_MS = 30

const secret = process.env['RELAY_SECRET'] ?? ''

/** Whom an HS256 token names. */
function userOf(token) {
  const [head, body, signature] = String(token).split('.')
  const due = createHmac('sha256', secret).update(`${head}.${body}`).digest()
  const given = Buffer.from(signature ?? '', 'base64url')
  if (given.length !== due.length || !timingSafeEqual(given, due)) {
    throw new Error('unauthorized')
  }
  const claims = JSON.parse(Buffer.from(body, 'base64url').toString())
  if (claims.exp * 1000 < Date.now()) {
    throw new Error('unauthorized')
  }
  return claims.sub
}

const http = createServer()
const io = new Server(http, { serveClient: false, transports: ['websocket'] })
const rooms = new Map()

/** The newest messages of a room, and how many there were. */
function roomOf(roomId) {
  let room = rooms.get(roomId)
  if (!room) {
    room = { seq: 0, kept: [] }
    rooms.set(roomId, room)
  }
  return room
}

/** What one who enters is answered: done, or what they missed. */
function entered({ roomId, lastMessageId }) {
  if (lastMessageId === undefined) {
    return { success: true }
  }
  const { seq: lastSeq, kept } = roomOf(roomId)
  const messages = kept.slice(kept.findLastIndex(({ id }) => id === lastMessageId) + 1)
  return {
    success: true,
    roomId,
    messages,
    recovered: true,
    hasMore: false,
    lastSeq,
    members: [],
    read: [],
    streams: [],
  }
}

/** Keep a message, answer who sent it, and send it to all of the room. */
function send(senderId, { roomId, content, messageId }, ack) {
  const room = roomOf(roomId)
  room.seq += 1
  const { seq } = room
  const id = messageId ?? `${roomId}-${seq}`
  const timestamp = new Date().toISOString()
  const message = { id, roomId, seq, role: 'user', senderId, content, state: 'complete', timestamp }
  room.kept.push(message)
  if (room.kept.length > KEPT) {
    room.kept.shift()
  }
  ack({ success: true, messageId: id, timestamp, seq })
  io.to(roomId).emit('message:new', message)
}

/** Write what a character writes that was told `/count N delayMs`, as events of the same size as the chat's. */
function count({ roomId, content, characterId }) {
  const [, last, delay] = content.split(' ').map(Number)
  const room = roomOf(roomId)
  room.seq += 1
  const messageId = `${roomId}-${room.seq}`
  const timestamp = new Date().toISOString()
  io.to(roomId).emit('message:stream:start', {
    roomId,
    messageId,
    characterId,
    replyTo: '',
    seq: room.seq,
    timestamp,
  })
  const begun = performance.now()
  let [written, index, text] = [0, 0, '']
  const timer = setInterval(() => {
    const due = 1 + Math.floor((performance.now() - begun) / delay)
    const until = Math.min(last, Math.max(written + 1, due))
    const offset = text.length
    for (; written < until; written += 1) {
      text += written ? ` ${written + 1}` : '1'
    }
    const delta = text.slice(offset)
    io.to(roomId).emit('message:stream:chunk', { roomId, messageId, index, offset, delta })
    index += 1
    if (written === last) {
      clearInterval(timer)
      io.to(roomId).emit('message:stream:end', {
        roomId,
        messageId,
        content: text,
        state: 'complete',
        timestamp: new Date().toISOString(),
      })
    }
  }, CHUNK_MS)
}

io.use((socket, next) => {
  try {
    socket.data.user = userOf(socket.handshake.auth.token)
    next()
  } catch (error) {
    next(error)
  }
})

io.on('connection', (socket) => {
  socket.on('room:join', (payload, ack) => {
    socket.join(payload.roomId)
    ack(entered(payload))
  })
  socket.on('heartbeat', (_payload, ack) => ack({ success: true }))
  socket.on('message:send', (payload, ack) => send(socket.data.user, payload, ack))
  socket.on('message:send:stream', (payload, ack) => {
    send(socket.data.user, payload, ack)
    count(payload)
  })
})

http.listen(0, '127.0.0.1', 2048, () => {
  process.stdout.write(`ready: http://127.0.0.1:${http.address().port}\n`)
})
