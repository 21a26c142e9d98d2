import { describe, expect, it } from 'vitest'
import { connectionState, type Input, initialMachine, type Machine, step } from './machine'

const MAX = 3

function reached(...inputs: Input[]): Machine {
  return inputs.reduce((machine, input) => step(machine, input, MAX).machine, initialMachine)
}

function effects(machine: Machine, input: Input): string[] {
  return step(machine, input, MAX).effects.map((effect) =>
    effect.type === 'open' && effect.freshToken ? 'open with a fresh token' : effect.type,
  )
}

const ALL_INPUTS: Input[] = [
  'connect',
  'reconnect',
  'disconnect',
  'opened',
  'stayed',
  'lost',
  'unauthorized',
  'denied',
  'replaced',
  'elapsed',
  'woke',
]

/** One way into each phase. */
const WAYS = {
  idle: [],
  opening: ['connect'],
  open: ['connect', 'opened'],
  settled: ['connect', 'opened', 'stayed'],
  waiting: ['connect', 'lost'],
  retrying: ['connect', 'lost', 'elapsed'],
  renewing: ['connect', 'unauthorized'],
  replaced: ['connect', 'opened', 'replaced'],
  exhausted: ['connect', 'lost', 'elapsed', 'lost', 'elapsed', 'lost', 'elapsed', 'lost'],
  refused: ['connect', 'unauthorized', 'unauthorized'],
} as const satisfies Record<Machine['phase'], readonly Input[]>

const phases = Object.keys(WAYS) as Machine['phase'][]

describe('the table', () => {
  it('has a way into every phase', () => {
    expect(phases.map((phase) => reached(...WAYS[phase]).phase)).toEqual(phases)
  })

  it.each(phases)('from %s, disconnecting leads to idle, with nothing left running', (phase) => {
    const machine = reached(...WAYS[phase])
    expect(step(machine, 'disconnect', MAX).machine).toEqual(initialMachine)
  })

  it.each(phases)('from %s, what a person asks for leads towards a connection', (phase) => {
    for (const input of ['connect', 'reconnect'] as const)
      expect(connectionState(step(reached(...WAYS[phase]), input, MAX).machine.phase)).toMatch(
        /^(connecting|connected|reconnecting)$/,
      )
  })

  it.each(ALL_INPUTS)('answers %s in every phase', (input) => {
    for (const phase of phases) expect(step(reached(...WAYS[phase]), input, MAX)).toBeDefined()
  })
})

describe('the public state', () => {
  it.each([
    [[], 'disconnected'],
    [['connect'], 'connecting'],
    [['connect', 'opened'], 'connected'],
    [['connect', 'opened', 'stayed'], 'connected'],
    [['connect', 'opened', 'lost'], 'reconnecting'],
    [['connect', 'opened', 'lost', 'elapsed'], 'reconnecting'],
    [['connect', 'opened', 'replaced'], 'disconnected'],
    [['connect', 'opened', 'disconnect'], 'disconnected'],
    [WAYS.exhausted, 'failed'],
    [WAYS.refused, 'failed'],
  ] as const)('after %j is %s', (inputs, expected) => {
    expect(connectionState(reached(...inputs).phase)).toBe(expected)
  })
})

describe('losing a connection', () => {
  it('waits, then tries, a limited number of times', () => {
    expect(effects(reached('connect', 'opened'), 'lost')).toEqual(['unwatch', 'close', 'wait'])
    expect(effects(reached('connect', 'lost'), 'elapsed')).toEqual(['cancelWait', 'close', 'open'])
    expect(reached(...WAYS.exhausted)).toMatchObject({ phase: 'exhausted', attempts: MAX })
  })

  it('counts from the start again only when a connection has lasted', () => {
    const flapping = ['connect', 'lost', 'elapsed', 'opened', 'lost'] as const
    expect(reached(...flapping)).toMatchObject({ phase: 'waiting', attempts: 1 })
    const lasting = ['connect', 'lost', 'elapsed', 'opened', 'stayed', 'lost'] as const
    expect(reached(...lasting)).toMatchObject({ phase: 'waiting', attempts: 0 })
  })

  it('tries at once when the network or the tab comes back, also after it had given up', () => {
    expect(reached('connect', 'lost', 'woke').phase).toBe('retrying')
    expect(reached(...WAYS.exhausted, 'woke')).toMatchObject({ phase: 'retrying', attempts: 1 })
  })
})

describe('a connection that another one replaced', () => {
  it('stays closed, whatever comes, until a person asks', () => {
    const replaced = reached(...WAYS.replaced)
    for (const input of ['lost', 'woke', 'elapsed', 'opened', 'unauthorized'] as const)
      expect(step(replaced, input, MAX).machine.phase).toBe('replaced')
    expect(step(replaced, 'reconnect', MAX).machine.phase).toBe('retrying')
  })
})

describe('a token that is refused', () => {
  it('is renewed once', () => {
    expect(effects(reached('connect'), 'unauthorized')).toEqual([
      'close',
      'open with a fresh token',
    ])
    expect(reached('connect', 'unauthorized', 'unauthorized').phase).toBe('refused')
    expect(reached('connect', 'opened', 'unauthorized').phase).toBe('renewing')
  })

  it('is not renewed again and again by a server that lets in and throws out', () => {
    const again = ['connect', 'opened', 'unauthorized', 'opened', 'unauthorized'] as const
    expect(reached(...again).phase).toBe('refused')
    expect(
      reached('connect', 'opened', 'unauthorized', 'opened', 'stayed', 'unauthorized').phase,
    ).toBe('renewing')
  })

  it('is final where the server gives none', () => {
    expect(reached('connect', 'denied').phase).toBe('refused')
    expect(step(reached('connect', 'denied'), 'woke', MAX).machine.phase).toBe('refused')
  })
})
