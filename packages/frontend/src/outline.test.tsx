import { cleanup, render, screen, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { StrictMode, useState } from 'react'
import { afterEach, beforeEach, expect, it } from 'vitest'
import {
  ConnectionReplacedModal,
  ConnectionStatus,
  MessageStatusIndicator,
} from '@/components/ui/ConnectionStatus'
import { eventually } from '@/lib/client/testing/eventually'
import { Peer } from '@/lib/client/testing/peer'
import { useSocket, useSocketChat } from '@/lib/hooks'

/** What vitest puts there in a jsdom environment. */
declare const jsdom: { reconfigure: (settings: { url: string }) => void }

// The page of the contract, word for word.
// biome-ignore format: it stands there like this
function Page() {
  const [replaced, setReplaced] = useState(false)
  const { socket, isConnected, connectionState, reconnect } = useSocket({
    onSessionRestored: (d) => d.canReconnect && d.previousRoomId && rejoinRoom(d.previousRoomId, d.previousCharacterId),
    onReplaced: () => setReplaced(true),
  })
  const { messages, sendMessage, retryMessage, rejoinRoom } =
    useSocketChat({ socket, isConnected, roomId: 'room_123', characterId: 'char_456' })
  return <>
    <ConnectionStatus connectionState={connectionState} onReconnect={reconnect} />
    <main>
      {messages.map(m => <div key={m.id}>{m.content}<MessageStatusIndicator status={m.status || 'sent'} onRetry={() => retryMessage(m.id)} /></div>)}
    </main>
    <button type="button" onClick={() => sendMessage('hello')}>Send</button>
    <ConnectionReplacedModal isOpen={replaced} onClose={() => setReplaced(false)} onReconnect={reconnect} />
  </>
}

let peer: Peer

beforeEach(async () => {
  peer = await Peer.start()
  jsdom.reconfigure({ url: peer.url })
  localStorage.clear()
})

afterEach(async () => {
  cleanup()
  await peer.stop()
})

const connected = () => eventually(() => expect(peer.io.sockets.sockets.size).toBe(1))
const shown = () => screen.getByRole('main')

it('connects as a guest of the server that the page came from, and shows what is sent', async () => {
  render(<Page />)
  await userEvent.click(screen.getByRole('button', { name: 'Send' }))
  await eventually(() => expect(shown().textContent).toBe('hello✓'))
  expect(screen.queryByRole('status')).toBeNull()
  expect(peer.guests).toBe(1)
})

it('opens one connection, also where everything is mounted twice', async () => {
  render(
    <StrictMode>
      <Page />
    </StrictMode>,
  )
  await userEvent.click(screen.getByRole('button', { name: 'Send' }))
  await eventually(() => expect(shown().textContent).toBe('hello✓'))
  expect(peer.io.sockets.sockets.size).toBe(1)
  expect(peer.received.get('hello')).toBe(1)
})

it('closes its connection when it goes', async () => {
  const { unmount } = render(<Page />)
  await connected()
  unmount()
  await eventually(() => expect(peer.io.sockets.sockets.size).toBe(0))
})

it('rejoins when its session is restored', async () => {
  render(<Page />)
  await userEvent.click(screen.getByRole('button', { name: 'Send' }))
  await eventually(() => expect(shown().textContent).toBe('hello✓'))
  const rejoins: unknown[] = []
  for (const socket of peer.io.sockets.sockets.values())
    socket.on('room:rejoin', (entry) => rejoins.push(entry))
  const room = { roomId: 'room_123', characterId: 'char_456' }
  peer.io.emit('session:restored', {
    disconnectedAt: '',
    canReconnect: true,
    previousRoomId: room.roomId,
    previousCharacterId: room.characterId,
  })
  await eventually(() => expect(rejoins).toEqual([{ ...room, lastMessageId: peer.log[0]?.id }]))
})

it('says when another connection took over, and takes it back', async () => {
  render(<Page />)
  await connected()
  peer.io.emit('connection:replaced', { message: 'elsewhere', timestamp: '' })
  const dialog = await screen.findByRole('dialog')
  await eventually(() => expect(peer.io.sockets.sockets.size).toBe(0))
  await userEvent.click(within(dialog).getByRole('button', { name: 'Use this one' }))
  await connected()
  await eventually(() => expect(screen.queryByRole('status')).toBeNull())
  expect(screen.queryByRole('dialog')).toBeNull()
})
