import { cleanup, render, screen } from '@testing-library/react'
import { afterEach, expect, test } from 'vitest'
import type { ShownStatus } from '@/index'
import { RoomHeader } from './RoomHeader'

afterEach(cleanup)

function show(statuses: Record<string, ShownStatus>) {
  const characters = Object.entries(statuses).map(([name, status]) => ({ id: name, name, status }))
  render(
    <RoomHeader
      title="A walk"
      subtitle="Sage"
      avatarId="Sage"
      people={{ members: [], others: [], characters }}
      userId="ann"
      link=""
      homeHref="#"
    />,
  )
}

const line = () => screen.getByRole('banner').querySelector('p')?.textContent
const rows = () =>
  [...screen.getByRole('region', { hidden: true }).querySelectorAll('li')].map(
    (each) => each.lastElementChild?.textContent,
  )

test('of one character the header says what it does', () => {
  show({ Sage: 'thinking' })
  expect(line()).toBe('SageThinking…')
  expect(rows()).toEqual(['Sage AI characterThinking…'])
})

test('of several all are listed, and the header tells of the one that writes', () => {
  show({ Sage: 'thinking', Bard: 'writing', Cook: 'idle' })
  expect(line()).toBe('BardWriting…')
  expect(rows()).toEqual([
    'Sage AI characterThinking…',
    'Bard AI characterWriting…',
    'Cook AI characterReady',
  ])
})

test('of several who do nothing, or the same, the header names each', () => {
  show({ Sage: 'idle', Bard: 'idle' })
  expect(line()).toBe('Sage, BardReady')
  cleanup()
  show({ Sage: 'thinking', Bard: 'idle', Cook: 'thinking' })
  expect(line()).toBe('Sage, CookThinking…')
})

test('without a character nothing is said', () => {
  show({})
  expect(line()).toBe('Sage')
  expect(rows()).toEqual([])
})
