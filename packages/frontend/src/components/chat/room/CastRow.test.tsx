import { cleanup, render, screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { afterEach, expect, test, vi } from 'vitest'
import { CastRow } from './CastRow'

afterEach(cleanup)

const characters = ['Sage', 'Bard', 'Cook'].map((name) => ({ id: name.toLowerCase(), name }))

function show(characterIds: string[], first: string | undefined, failed = false) {
  const on = { onAddress: vi.fn(), onAdd: vi.fn(), onRemove: vi.fn() }
  render(<CastRow {...{ characterIds, first, characters, failed, ...on }} />)
  return { ...on, user: userEvent.setup() }
}

test('speaks to those who are there, takes them out, and brings others in', async () => {
  const { user, onAddress, onRemove, onAdd } = show(['sage', 'bard'], 'sage')
  await user.click(screen.getByRole('button', { name: 'Speak to Bard' }))
  expect(onAddress.mock.calls).toEqual([['Bard']])
  await user.click(screen.getByRole('button', { name: 'Take Sage out of this chat' }))
  expect(onRemove.mock.calls).toEqual([['sage']])
  const choice = screen.getByRole('combobox', { name: 'Bring in a character' })
  expect([...choice.querySelectorAll('option')].map((each) => each.textContent)).toEqual([
    'Bring in a character',
    'Cook',
  ])
  await user.selectOptions(choice, 'Cook')
  expect(onAdd.mock.calls).toEqual([['cook']])
})

test('with one character nobody is listed, and without one nobody can be brought in', () => {
  show([], 'sage')
  expect(screen.queryByRole('list')).toBeNull()
  expect(screen.getByRole('combobox').querySelectorAll('option')).toHaveLength(3)
  cleanup()
  show([], undefined)
  expect(screen.queryByRole('combobox')).toBeNull()
})

test('says that a change did not work', () => {
  show(['sage', 'bard'], 'sage', true)
  expect(screen.getByRole('status').textContent).toBe('That did not work.')
})
