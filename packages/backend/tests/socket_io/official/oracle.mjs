// The reference server, with the behaviour that the official suites ask of a server under test.

import { createServer } from 'node:http'
import { createRequire } from 'node:module'

const frontend = createRequire(new URL('../../../../frontend/package.json', import.meta.url))
const { Server } = frontend('socket.io')
const engine = createRequire(frontend.resolve('socket.io'))('engine.io')

const timing = { pingInterval: 300, pingTimeout: 200, maxHttpBufferSize: 1_000_000 }

const http = createServer()
const io = new Server(http, {
  ...timing,
  connectTimeout: 1000,
  cors: { origin: '*' },
  destroyUpgrade: false,
  serveClient: false,
})

function serve(socket) {
  socket.emit('auth', socket.handshake.auth)
  socket.on('message', (...values) => socket.emit('message-back', ...values))
  socket.on('message-with-ack', (...values) => {
    const acknowledge = values.pop()
    acknowledge(...values)
  })
}

io.on('connection', serve)
io.of('/custom').on('connection', serve)

engine
  .attach(http, { ...timing, path: '/engine.io/', destroyUpgrade: false })
  .on('connection', (socket) => socket.on('message', (data) => socket.send(data)))

http.listen(0, '127.0.0.1', () => {
  process.stdout.write(`ready: http://127.0.0.1:${http.address().port}\n`)
})
