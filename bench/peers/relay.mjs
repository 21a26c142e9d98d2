// The chat's path through Node's Socket.IO server, in memory: the token is checked, members join, sends are acked and
// broadcast. Nothing is validated, stored or deduplicated: what is left is what the server itself costs.

import { createHmac, timingSafeEqual } from 'node:crypto'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'

const { Server } = createRequire(new URL('../../packages/frontend/package.json', import.meta.url))(
  'socket.io',
)

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
const lengths = new Map()

io.use((socket, next) => {
  try {
    socket.data.user = userOf(socket.handshake.auth.token)
    next()
  } catch (error) {
    next(error)
  }
})

io.on('connection', (socket) => {
  socket.on('room:join', ({ roomId }, ack) => {
    socket.join(roomId)
    ack({ success: true })
  })
  socket.on('heartbeat', (_payload, ack) => ack({ success: true }))
  socket.on('message:send', ({ roomId, content, messageId }, ack) => {
    const seq = (lengths.get(roomId) ?? 0) + 1
    lengths.set(roomId, seq)
    const timestamp = new Date().toISOString()
    ack({ success: true, messageId, timestamp, seq })
    io.to(roomId).emit('message:new', {
      id: messageId,
      roomId,
      seq,
      role: 'user',
      senderId: socket.data.user,
      content,
      state: 'complete',
      timestamp,
    })
  })
})

http.listen(0, '127.0.0.1', 2048, () => {
  process.stdout.write(`ready: http://127.0.0.1:${http.address().port}\n`)
})
