import type { ManagedConnection } from '../connection/status'
import type { ChatSocket } from '../transport/socketTransport'
import type { OpenTransport } from '../transport/transport'

type Listener = (...values: never[]) => void
type AnyListener = (event: string, ...values: unknown[]) => void
type Call = (...values: unknown[]) => void

/** What is emitted before there is a connection waits for it, as with socket.io-client. */
const WAITING_MAX = 100

/**
 * A socket of the connection that the tabs share, for applications that talk to it themselves: what
 * socket.io-client's has for events, acknowledgements and the connection.
 */
export class TabSocket {
  readonly io: ChatSocket['io'] | undefined
  readonly #transport: OpenTransport
  readonly #connection: ManagedConnection
  readonly #listeners = new Map<string, Listener[]>()
  readonly #any: AnyListener[] = []
  readonly #waiting: (() => void)[] = []

  /** `io`: what belongs to a connection of this tab's own; it is at rest while another tab has it. */
  constructor(transport: OpenTransport, connection: ManagedConnection, io?: ChatSocket['io']) {
    this.io = io
    this.#transport = transport
    this.#connection = connection
    transport.onAny((event, payload) => {
      for (const listener of [...this.#any]) listener(event, payload)
      this.#call(event, payload)
    })
    transport.onChange((change) => {
      if (change.type === 'opened') this.#opened()
      else if (change.type === 'closed') this.#call('disconnect', 'transport close')
      else if (change.type === 'refused') this.#call('connect_error', change.error)
    })
  }

  get id(): string | undefined {
    return this.connected ? this.#transport.socketId : undefined
  }

  get connected(): boolean {
    return this.#transport.isOpen
  }

  get disconnected(): boolean {
    return !this.connected
  }

  /** Whether there is a connection, or will be one without further ado. */
  get active(): boolean {
    const { connectionState } = this.#connection.getSnapshot()
    return connectionState !== 'disconnected' && connectionState !== 'failed'
  }

  readonly connect = (): this => {
    this.#connection.connect()
    return this
  }

  readonly disconnect = (): this => {
    this.#connection.disconnect()
    return this
  }

  readonly open = this.connect
  readonly close = this.disconnect

  on(event: string, listener: Listener): this {
    this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), listener])
    return this
  }

  once(event: string, listener: Listener): this {
    const once = Object.assign(
      (...values: never[]) => {
        this.off(event, once)
        listener(...values)
      },
      { listener },
    )
    return this.on(event, once)
  }

  off(event?: string, listener?: Listener): this {
    if (event === undefined) this.#listeners.clear()
    else if (listener === undefined) this.#listeners.delete(event)
    else {
      const listeners = this.#listeners.get(event) ?? []
      this.#listeners.set(
        event,
        listeners.filter((each) => each !== listener && original(each) !== listener),
      )
    }
    return this
  }

  listeners(event: string): Listener[] {
    return [...(this.#listeners.get(event) ?? [])]
  }

  hasListeners(event: string): boolean {
    return this.listeners(event).length > 0
  }

  onAny(listener: AnyListener): this {
    this.#any.push(listener)
    return this
  }

  offAny(listener?: AnyListener): this {
    const place = listener ? this.#any.indexOf(listener) : 0
    if (place >= 0) this.#any.splice(place, listener ? 1 : this.#any.length)
    return this
  }

  emit(event: string, ...values: unknown[]): this {
    const last = values.at(-1)
    const onReply = typeof last === 'function' ? (last as Call) : undefined
    const send = () => this.#transport.emit(event as never, values[0] as never, onReply as never)
    if (this.connected) send()
    else if (this.#waiting.length < WAITING_MAX) this.#waiting.push(send)
    return this
  }

  emitWithAck(event: string, ...values: unknown[]): Promise<unknown> {
    return new Promise((resolve) => {
      this.emit(event, ...values, resolve)
    })
  }

  /** The acknowledgement is waited for so long; its callback gets an error first, or `null`. */
  timeout(ms: number) {
    const emit = (event: string, ...values: unknown[]): this => {
      const last = values.at(-1)
      if (typeof last !== 'function') return this.emit(event, ...values)
      const done = onceOnly(last as Call)
      setTimeout(() => done(new Error('operation has timed out')), ms)
      return this.emit(event, ...values.slice(0, -1), (reply: unknown) => done(null, reply))
    }
    return {
      emit,
      emitWithAck: (event: string, ...values: unknown[]): Promise<unknown> =>
        new Promise((resolve, reject) => {
          emit(event, ...values, (error: Error | null, reply: unknown) =>
            error ? reject(error) : resolve(reply),
          )
        }),
    }
  }

  #opened(): void {
    this.#call('connect')
    for (const send of this.#waiting.splice(0)) send()
  }

  #call(event: string, ...values: unknown[]): void {
    for (const listener of this.listeners(event)) listener(...(values as never[]))
  }
}

/** It has what an application asks of a socket; the rest is the library's own business. */
export function asChatSocket(socket: TabSocket): ChatSocket {
  return socket as unknown as ChatSocket
}

function original(listener: Listener): unknown {
  return 'listener' in listener ? listener.listener : undefined
}

function onceOnly(call: Call): Call {
  let isDone = false
  return (...values) => {
    if (isDone) return
    isDone = true
    call(...values)
  }
}
