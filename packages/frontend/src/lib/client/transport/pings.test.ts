import { io } from 'socket.io-client'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { eventually } from '../testing/eventually'
import { Peer } from '../testing/peer'
import { Pings } from './pings'
import type { ChatSocket } from './socketTransport'

let peer: Peer
let socket: ChatSocket

beforeEach(async () => {
  peer = await Peer.start()
  peer.io.engine.opts.pingInterval = 50
  socket = io(peer.url, { autoConnect: false, reconnection: false, forceNew: true })
})

afterEach(async () => {
  socket.disconnect()
  await peer.stop()
})

it('measure round trips by what two are apart beyond their interval', async () => {
  const arrivals = [1_000, 1_050, 1_090, 200_000, 200_850]
  const pings = new Pings(() => arrivals.shift() ?? Number.NaN)
  const trips: number[] = []
  const stop = pings.listen((ms) => trips.push(ms))
  socket.connect()
  pings.watch(socket)
  // The third came too early to be a measure, the fourth after a sleep.
  await eventually(() => expect(trips).toEqual([0, 800]))
  stop()
  expect(arrivals).toEqual([])
})

it('measure a connection anew that is opened again', async () => {
  let now = 0
  const pings = new Pings(() => now)
  const trips: number[] = []
  pings.listen((ms) => trips.push(ms))
  for (const at of [1_000, 9_000]) {
    now = at
    socket.connect()
    pings.watch(socket)
    const before = trips.length
    await eventually(() => {
      now += 60
      expect(trips.length).toBeGreaterThan(before)
    })
    socket.disconnect()
  }
  expect(Math.max(...trips)).toBeLessThan(8_000)
})
