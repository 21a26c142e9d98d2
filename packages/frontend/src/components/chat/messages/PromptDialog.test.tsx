import { cleanup, render, screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { afterEach, expect, test, vi } from 'vitest'
import { PromptDialog } from './PromptDialog'

afterEach(cleanup)

const prompt = {
  messages: [
    { role: 'system', content: 'You are Sage.' },
    { role: 'user', content: 'Hi!\n<b>' },
  ],
  model: 'm1',
  usage: { promptTokens: 1234, completionTokens: 5 },
} as const

test('shows what was asked word for word, the model and the tokens', async () => {
  const onClose = vi.fn()
  render(<PromptDialog prompt={{ ...prompt, messages: [...prompt.messages] }} onClose={onClose} />)
  expect(screen.getByRole('dialog', { name: 'What the model was asked' })).toBeDefined()
  expect(screen.getByText('m1 · 1,234 tokens asked, 5 answered')).toBeDefined()
  const texts = screen.getAllByRole('listitem').map((each) => each.textContent)
  expect(texts).toEqual(['InstructionsYou are Sage.', 'PeopleHi!\n<b>'])
  await userEvent.keyboard('{Escape}')
  expect(onClose).toHaveBeenCalledOnce()
})

test.each([
  ['not_found', /Not there: only characters with a language model/],
  ['forbidden', /Only who asked/],
  ['unavailable', 'That did not work.'],
] as const)('says why there is nothing to show: %s', (failure, sentence) => {
  render(<PromptDialog failure={failure} onClose={vi.fn()} />)
  expect(screen.getByText(sentence)).toBeDefined()
})

test('says that it is on its way', () => {
  render(<PromptDialog onClose={vi.fn()} />)
  expect(screen.getByText('Loading …')).toBeDefined()
})
