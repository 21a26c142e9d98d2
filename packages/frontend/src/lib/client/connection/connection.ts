import { ConnectionError } from '../errors'
import { RestError } from '../rest'
import { type Readable, Store, type Unsubscribe } from '../store'
import type { Clock } from '../time/clock'
import { Timer } from '../time/timer'
import type { Transport } from '../transport/transport'
import { backoffDelay } from './backoff'
import { Heartbeat } from './heartbeat'
import {
  type Effect,
  type Input,
  initialMachine,
  isConnected,
  isTrying,
  type Machine,
  step,
} from './machine'
import type { LineQuality } from './quality'
import type { ConnectionSettings } from './settings'
import {
  type ConnectionHandlers,
  type ConnectionIdentity,
  type ConnectionStatus,
  type ManagedConnection,
  sameStatus,
  statusOf,
} from './status'
import type { WakeSource } from './wake'

export interface ConnectionParts {
  transport: Transport
  clock: Clock
  random: () => number
  wake: WakeSource
  settings: ConnectionSettings
  /** Whether somebody may look at the page: the line is measured only then. */
  isSeen?: (() => boolean) | undefined
}

/** An attempt of that age is begun anew when the network or the tab comes back. */
const STALE_AFTER_MS = 2_000

/** Does what the machine says, with a real transport, real time and real chance. */
export class Connection implements ManagedConnection {
  readonly #parts: ConnectionParts
  readonly #heartbeat: Heartbeat
  readonly #delay: Timer
  readonly #deadline: Timer
  readonly #settling: Timer
  readonly #status = new Store<ConnectionStatus>(statusOf(initialMachine, null))
  readonly getSnapshot = this.#status.getSnapshot
  readonly subscribe = this.#status.subscribe
  #identity: ConnectionIdentity
  #handlers: ConnectionHandlers = {}
  #machine: Machine = initialMachine
  #lastError: ConnectionError | null = null
  /** Counts attempts, so that a token that comes too late opens nothing. */
  #attempt = 0
  #listening: Unsubscribe | null = null
  readonly #inputs: Input[] = []
  #isStepping = false
  #isClosing = false
  #isProbing = false
  /** When the last attempt began. */
  #openedAt = Number.NEGATIVE_INFINITY

  constructor(parts: ConnectionParts, identity: ConnectionIdentity) {
    this.#parts = parts
    this.#identity = identity
    this.#delay = new Timer(parts.clock)
    this.#deadline = new Timer(parts.clock)
    this.#settling = new Timer(parts.clock)
    this.#heartbeat = new Heartbeat({
      channel: parts.transport,
      clock: parts.clock,
      intervalMs: parts.settings.heartbeatInterval,
      timeoutMs: parts.settings.ackTimeout,
      isSeen: this.#isSeen,
    })
  }

  get quality(): Readable<LineQuality> {
    return this.#heartbeat.quality
  }

  setHandlers(handlers: ConnectionHandlers): void {
    this.#handlers = handlers
  }

  /** Holds from the next attempt on. */
  setIdentity(identity: ConnectionIdentity): void {
    this.#identity = identity
  }

  readonly connect = (): void => {
    this.#listen()
    this.#input('connect')
  }

  /** A new connection, whatever the present one is like. */
  readonly reconnect = (): void => {
    this.#listen()
    this.#input('reconnect')
  }

  readonly disconnect = (): void => {
    this.#input('disconnect')
    this.#listening?.()
    this.#listening = null
  }

  readonly #isSeen = (): boolean => this.#parts.isSeen?.() ?? true

  #listen(): void {
    if (this.#listening) return
    const { transport, wake } = this.#parts
    const stops = [
      transport.onChange((change) => {
        switch (change.type) {
          case 'opened':
            return this.#input('opened')
          case 'closed':
            // What this side closes is not lost.
            return this.#isClosing ? undefined : this.#input('lost')
          case 'refused':
            return this.#fail(change.error)
        }
      }),
      transport.on('connection:replaced', (data) => {
        this.#input('replaced')
        this.#handlers.onReplaced?.(data)
      }),
      transport.on('auth:required', (data) => {
        this.#fail(new ConnectionError('unauthorized', data.reason))
        this.#handlers.onAuthRequired?.(data)
      }),
      transport.on('session:restored', (data) => this.#handlers.onSessionRestored?.(data)),
      wake(() => this.#wake()),
      transport.onRoundTrip?.((ms) => this.#isSeen() && this.#heartbeat.measured(ms)) ??
        (() => undefined),
      transport.onSuspect?.(() => void this.#probe()) ?? (() => undefined),
    ]
    this.#listening = () => {
      for (const stop of stops) stop()
    }
  }

  #wake(): void {
    const { phase } = this.#machine
    const age = Math.abs(this.#parts.clock.now() - this.#openedAt)
    if (isConnected(phase)) void this.#probe()
    // An attempt from before may wait for a network that is gone; one of now may not.
    else if (!isTrying(phase) || age >= STALE_AFTER_MS) this.#input('woke')
  }

  /** The connection may be long dead without a word: a computer slept, a network changed. */
  async #probe(): Promise<void> {
    if (this.#isProbing || !isConnected(this.#machine.phase)) return
    this.#isProbing = true
    const attempt = this.#attempt
    const isAlive = await this.#heartbeat.beat()
    this.#isProbing = false
    if (!isAlive && attempt === this.#attempt) this.#input('lost')
  }

  #fail(error: ConnectionError): void {
    this.#lastError = error
    this.#input(error.code === 'unauthorized' ? 'unauthorized' : 'lost')
  }

  /** An effect may cause the next input at once; it waits until the step is done. */
  #input(input: Input): void {
    this.#inputs.push(input)
    if (this.#isStepping) return
    this.#isStepping = true
    for (let next = this.#inputs.shift(); next !== undefined; next = this.#inputs.shift()) {
      const { machine, effects } = step(
        this.#machine,
        next,
        this.#parts.settings.maxReconnectionAttempts,
      )
      this.#machine = machine
      for (const effect of effects) this.#perform(effect)
    }
    this.#isStepping = false
    const status = statusOf(this.#machine, this.#lastError)
    this.#status.set(sameStatus(this.#status.getSnapshot(), status))
  }

  #perform(effect: Effect): void {
    const { settings, random } = this.#parts
    switch (effect.type) {
      case 'open':
        void this.#open(effect.freshToken)
        break
      case 'close':
        this.#attempt += 1
        this.#deadline.cancel()
        this.#isClosing = true
        this.#parts.transport.close()
        this.#isClosing = false
        break
      case 'wait': {
        const limits = { minMs: settings.reconnectionDelay, maxMs: settings.reconnectionDelayMax }
        const delay = backoffDelay(effect.attempts, limits, random)
        this.#delay.start(delay, () => this.#input('elapsed'))
        break
      }
      case 'cancelWait':
        this.#delay.cancel()
        break
      case 'watch':
        this.#deadline.cancel()
        this.#lastError = null
        this.#heartbeat.start()
        this.#settling.start(settings.settleAfter, () => this.#input('stayed'))
        break
      case 'unwatch':
        this.#heartbeat.stop()
        this.#settling.cancel()
        break
    }
  }

  async #open(freshToken: boolean): Promise<void> {
    const attempt = this.#attempt
    this.#openedAt = this.#parts.clock.now()
    this.#deadline.start(this.#parts.settings.attemptTimeout, () =>
      this.#fail(new ConnectionError('timeout', 'The server did not answer in time')),
    )
    const { tokens, locale } = this.#identity
    try {
      const token = await tokens(freshToken)
      if (attempt !== this.#attempt) return
      this.#parts.transport.open(locale === undefined ? { token } : { token, locale })
    } catch (error) {
      if (attempt === this.#attempt) this.#tokenFailed(error)
    }
  }

  #tokenFailed(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error)
    if (error instanceof RestError && isFinal(error)) {
      this.#lastError = new ConnectionError(error.code, message)
      this.#input('denied')
      return
    }
    this.#fail(new ConnectionError('network', message))
  }
}

/** Asking again for the same would be answered in the same way. */
function isFinal(error: RestError): boolean {
  return error.status < 500 && error.code !== 'rate_limited' && error.code !== 'unavailable'
}
