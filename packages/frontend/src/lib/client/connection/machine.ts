/**
 * Every rule about when a connection is opened, kept and given up stands in this file.
 * It knows no socket, no clock and no chance: it is told what happened and says what to do.
 */
import type { ConnectionState } from '../../types/socket'

export type Phase =
  /** Nobody asked for a connection. */
  | 'idle'
  /** The first attempt. */
  | 'opening'
  /** Connected a moment ago. */
  | 'open'
  /** Connected for long enough to trust it. */
  | 'settled'
  /** Lost; the delay before the next attempt runs. */
  | 'waiting'
  /** A further attempt. */
  | 'retrying'
  /** An attempt with a fresh token, because the server refused the last one. */
  | 'renewing'
  /** A newer connection of the same user took over. */
  | 'replaced'
  /** All attempts are used up. */
  | 'exhausted'
  /** The server refuses this user. */
  | 'refused'

export type Input =
  | 'connect'
  | 'reconnect'
  | 'disconnect'
  | 'opened'
  | 'stayed'
  | 'lost'
  | 'unauthorized'
  | 'denied'
  | 'replaced'
  | 'elapsed'
  | 'woke'

/** Where an input leads: a phase, `stay`, or a choice that what happened before decides. */
type Target = Phase | 'stay' | 'retry?' | 'renew?'

const TABLE: Record<Phase, Record<Input, Target>> = {
  idle: row('opening', 'opening', 'stay', {}),
  opening: row('stay', 'stay', 'idle', {
    woke: 'opening',
    opened: 'open',
    lost: 'retry?',
    unauthorized: 'renew?',
    denied: 'refused',
    replaced: 'replaced',
  }),
  open: row('stay', 'retrying', 'idle', {
    stayed: 'settled',
    lost: 'retry?',
    unauthorized: 'renew?',
    replaced: 'replaced',
  }),
  settled: row('stay', 'retrying', 'idle', {
    lost: 'retry?',
    unauthorized: 'renew?',
    replaced: 'replaced',
  }),
  waiting: row('retrying', 'retrying', 'idle', { elapsed: 'retrying', woke: 'retrying' }),
  retrying: row('stay', 'stay', 'idle', {
    woke: 'retrying',
    opened: 'open',
    lost: 'retry?',
    unauthorized: 'renew?',
    denied: 'refused',
    replaced: 'replaced',
  }),
  renewing: row('stay', 'stay', 'idle', {
    opened: 'open',
    lost: 'retry?',
    unauthorized: 'refused',
    denied: 'refused',
    replaced: 'replaced',
  }),
  replaced: row('opening', 'retrying', 'idle', {}),
  exhausted: row('opening', 'retrying', 'idle', { woke: 'retrying' }),
  refused: row('opening', 'retrying', 'idle', {}),
}

/** What a person asks for must have an answer in every phase; the rest stays unless it is named. */
function row(
  connect: Target,
  reconnect: Target,
  disconnect: Target,
  others: Partial<Record<Exclude<Input, 'connect' | 'reconnect' | 'disconnect'>, Target>>,
): Record<Input, Target> {
  return {
    connect,
    reconnect,
    disconnect,
    opened: 'stay',
    stayed: 'stay',
    lost: 'stay',
    unauthorized: 'stay',
    denied: 'stay',
    replaced: 'stay',
    elapsed: 'stay',
    woke: 'stay',
    ...others,
  }
}

export interface Machine {
  readonly phase: Phase
  /** Attempts since the connection was last trusted. */
  readonly attempts: number
  /** Whether a fresh token was already asked for since then. */
  readonly renewed: boolean
}

export const initialMachine: Machine = { phase: 'idle', attempts: 0, renewed: false }

export type Effect =
  | { type: 'open'; freshToken: boolean }
  | { type: 'close' }
  | { type: 'wait'; attempts: number }
  | { type: 'cancelWait' }
  | { type: 'watch' }
  | { type: 'unwatch' }

export interface Step {
  readonly machine: Machine
  readonly effects: readonly Effect[]
}

export function step(machine: Machine, input: Input, maxAttempts: number): Step {
  const to = decide(TABLE[machine.phase][input], machine, maxAttempts)
  if (to === 'stay') return { machine, effects: [] }
  const kept = startsAfresh(machine.phase, input) ? initialMachine : machine
  const next: Machine = {
    phase: to,
    attempts: to === 'retrying' && !isTrying(machine.phase) ? kept.attempts + 1 : kept.attempts,
    renewed: kept.renewed || to === 'renewing',
  }
  return { machine: next, effects: effectsOf(machine.phase, next) }
}

function decide(target: Target, machine: Machine, maxAttempts: number): Phase | 'stay' {
  switch (target) {
    case 'retry?':
      return machine.attempts < maxAttempts ? 'waiting' : 'exhausted'
    case 'renew?':
      return machine.renewed ? 'refused' : 'renewing'
    default:
      return target
  }
}

function startsAfresh(from: Phase, input: Input): boolean {
  switch (input) {
    case 'connect':
    case 'reconnect':
    case 'disconnect':
    case 'stayed':
      return true
    case 'woke':
      return from === 'exhausted'
    default:
      return false
  }
}

function effectsOf(from: Phase, next: Machine): Effect[] {
  const effects: Effect[] = []
  if (from === 'waiting') effects.push({ type: 'cancelWait' })
  if (isConnected(from) && !isConnected(next.phase)) effects.push({ type: 'unwatch' })
  switch (next.phase) {
    case 'opening':
    case 'retrying':
    case 'renewing':
      effects.push({ type: 'close' }, { type: 'open', freshToken: next.phase === 'renewing' })
      break
    case 'open':
      effects.push({ type: 'watch' })
      break
    case 'settled':
      break
    case 'waiting':
      effects.push({ type: 'close' }, { type: 'wait', attempts: next.attempts })
      break
    case 'idle':
    case 'replaced':
    case 'exhausted':
    case 'refused':
      effects.push({ type: 'close' })
      break
  }
  return effects
}

export function isConnected(phase: Phase): boolean {
  return phase === 'open' || phase === 'settled'
}

/** Whether an attempt is under way. */
export function isTrying(phase: Phase): boolean {
  return phase === 'opening' || phase === 'retrying' || phase === 'renewing'
}

export function connectionState(phase: Phase): ConnectionState {
  switch (phase) {
    case 'idle':
    case 'replaced':
      return 'disconnected'
    case 'opening':
      return 'connecting'
    case 'open':
    case 'settled':
      return 'connected'
    case 'waiting':
    case 'retrying':
    case 'renewing':
      return 'reconnecting'
    case 'exhausted':
    case 'refused':
      return 'failed'
  }
}
