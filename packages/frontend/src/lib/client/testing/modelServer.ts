import type { ChatAction } from '../chat/actions'
import { defined } from '../defined'
import type { ClientPayload } from '../transport/transport'
import type { ManualClock } from './manualClock'
import type { MemoryTransport, Sent } from './memoryTransport'
import { roomAck } from './room'
import { RoomModel } from './roomModel'

/** What becomes of an event on its way: how often it arrives, and how late each time. */
export type Way = (kind: string) => readonly number[]

/** How many messages a page has. */
export const PAGE = 6

/** A room behind a transport, whose events and answers get lost, late and doubled as a test wants. */
export class ModelServer {
  readonly room = new RoomModel()
  readonly #transport: MemoryTransport
  readonly #clock: ManualClock
  /** Both ways: an event, or the answer to a request. */
  way: Way = () => [0]
  /** Whether the connection that is open now is in the room. */
  #isInside = false

  constructor(transport: MemoryTransport, clock: ManualClock) {
    this.#transport = transport
    this.#clock = clock
    transport.onSent = (sent) => this.#handle(sent)
    transport.onChange(() => {
      this.#isInside = false
    })
  }

  /** Tells the client, if it is in the room. */
  tell(actions: readonly ChatAction[]): void {
    if (this.#isInside) for (const action of actions) this.#send(action)
  }

  #handle(sent: Sent): void {
    const { room } = this
    switch (sent.event) {
      case 'room:join':
      case 'room:rejoin':
        this.#arrive(sent.event, () => {
          this.#isInside = true
          const { lastMessageId, revision } = sent.payload
          return () => sent.reply(roomAck(room.snapshot(PAGE, lastMessageId, revision)))
        })
        break
      case 'messages:history':
        this.#arrive(sent.event, () => {
          const page = this.#page(sent.payload)
          const { revision } = room
          return () => sent.reply({ success: true, roomId: sent.payload.roomId, ...page, revision })
        })
        break
      case 'message:send':
      case 'message:send:stream':
        this.#arrive(sent.event, () => {
          const { messageId = '', content, characterId } = sent.payload
          const { row, told } = room.receive(messageId, {
            senderId: 'me',
            content,
            ...defined({ characterId }),
          })
          const { seq, timestamp } = row
          const branch = defined({ parentSeq: row.parentSeq })
          return () => {
            const duplicate = told.length === 0
            sent.reply({ success: true, messageId, seq, timestamp, duplicate, ...branch })
            this.tell(told)
          }
        })
        break
      default:
    }
  }

  /** The request arrives at once, or never; the answer takes its own way, in order with the events. */
  #arrive(kind: string, handle: () => () => void): void {
    const answer = handle()
    const [delay] = this.way(kind)
    if (delay !== undefined) this.#later(delay, answer)
  }

  #page({ after, before, limit = PAGE }: ClientPayload<'messages:history'>) {
    return after === undefined
      ? this.room.pageBefore(before, limit)
      : this.room.pageAfter(after, limit)
  }

  #send(action: ChatAction): void {
    const push = pusher(this.#transport, action)
    for (const delay of this.way(action.type)) this.#later(delay, push)
  }

  #later(delay: number, run: () => void): void {
    if (delay === 0) run()
    else this.#clock.after(delay, () => this.#transport.isOpen && run())
  }
}

function pusher(transport: MemoryTransport, action: ChatAction): () => void {
  switch (action.type) {
    case 'message':
      return () => transport.push('message:new', action.message)
    case 'streamStarted':
      return () => transport.push('message:stream:start', action.start)
    case 'streamChunk':
      return () => transport.push('message:stream:chunk', action.chunk)
    case 'streamEnded':
      return () => transport.push('message:stream:end', action.end)
    case 'streamFailed':
      return () => transport.push('message:stream:error', action.failure)
    case 'chosen':
      return () => transport.push('message:chosen', action.chosen)
    case 'deleted':
      return () => transport.push('message:deleted', action.deleted)
    case 'read':
      return () => transport.push('messages:read', action.read)
    case 'userJoined':
      return () => transport.push('user:joined', action.user)
    case 'userLeft':
      return () => transport.push('user:left', action.user)
    case 'presence':
      return () => transport.push('presence:changed', action.presence)
    default:
      throw new Error(`${action.type} is no event`)
  }
}
