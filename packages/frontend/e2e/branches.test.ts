import { expect, test } from 'vitest'
import { expectAccessible } from './support/axe'
import type { Person } from './support/person'
import { storedIn } from './support/room'
import { setStage } from './support/stage'

const stage = setStage()

const button = (of: Person, name: string) => of.page.getByRole('button', { name, exact: true })
const group = (of: Person, name: string) => of.page.getByRole('group', { name, exact: true })
const shows = (of: Person, ...texts: string[]) => expect.poll(() => of.texts()).toEqual(texts)

/** What may be done with an own message is there for a mouse when it is over it. */
async function act(of: Person, text: string, what: 'Edit' | 'Delete'): Promise<void> {
  const message = of.page.getByRole('article', { name: 'Message by You' }).filter({ hasText: text })
  await message.hover()
  await message.getByRole('button', { name: what, exact: true }).click()
}

async function talk(of: Person, ...texts: string[]): Promise<void> {
  for (const text of texts) {
    await of.say(text)
    await of.message(text).nth(1).waitFor()
  }
}

test('an answer that is chosen is so on every device, and after a reload', async () => {
  const [ann, bob] = [await stage.person(), await stage.person()]
  await ann.signIn('Ann')
  await bob.signIn('Bob')
  await bob.open(await ann.startChat())
  await ann.say('/count 3')
  await ann.message('1 2 3').waitFor()
  await button(ann, 'Another answer').click()
  await group(ann, 'Answer 2 of 2').waitFor()
  await ann.messages('streaming').waitFor({ state: 'detached' })
  await group(bob, 'Answer 2 of 2').waitFor()

  await button(bob, 'Previous answer').click()
  await group(bob, 'Answer 1 of 2').waitFor()
  await group(ann, 'Answer 1 of 2').waitFor()
  await ann.page.reload()
  await group(ann, 'Answer 1 of 2').waitFor()
  await expectAccessible(ann.page)

  await talk(ann, 'go on')
  await button(bob, 'Next answer').click()
  await shows(ann, '/count 3', '1 2 3')
  await button(ann, 'Next answer').focus()
  await ann.page.keyboard.press('ArrowLeft')
  await shows(bob, '/count 3', '1 2 3', 'go on', 'go on')
  expect(
    await button(ann, 'Previous answer').evaluate(
      (each) => document.activeElement?.closest('[role="group"]') === each.parentElement,
    ),
  ).toBe(true)
})

test('an edited message begins a branch, and leads back to the other', async () => {
  const [ann, bob] = [await stage.person(), await stage.person()]
  await ann.signIn('Ann')
  await bob.signIn('Bob')
  await bob.open(await ann.startChat())
  await talk(ann, 'one', 'two')
  await act(ann, 'one', 'Edit')
  const field = ann.page.getByRole('textbox', { name: 'Change your message' })
  await expectAccessible(ann.page)
  await field.press('Escape')
  await field.waitFor({ state: 'detached' })
  await act(ann, 'one', 'Edit')
  await field.fill('other')
  await field.press('Enter')
  await shows(ann, 'other', 'other')
  await shows(bob, 'other', 'other')

  await talk(bob, 'three')
  await group(bob, 'Version 2 of 2').waitFor()
  await button(bob, 'Previous version').click()
  await shows(ann, 'one', 'one', 'two', 'two')
  await bob.page.reload()
  await shows(bob, 'one', 'one', 'two', 'two')
  await talk(ann, 'four')
  await button(bob, 'Next version').click()
  await shows(ann, 'other', 'other', 'three', 'three')
  expect(await bob.page.getByRole('button', { name: 'Edit', exact: true }).count()).toBe(1)
})

test('what is deleted is gone for everybody and for good', async () => {
  const [ann, bob] = [await stage.person(), await stage.person()]
  await ann.signIn('Ann')
  await bob.signIn('Bob')
  const address = await ann.startChat()
  await bob.open(address)
  await talk(ann, 'a secret', 'no secret')
  await bob.message('no secret').nth(1).waitFor()
  await act(ann, 'a secret', 'Delete')
  const question = ann.page.getByRole('group', { name: /^Delete it and the answers/ })
  await expectAccessible(ann.page)
  await question.getByRole('button', { name: 'Cancel' }).click()
  await question.waitFor({ state: 'detached' })
  await act(ann, 'a secret', 'Delete')
  await question.getByRole('button', { name: 'Delete for good' }).click()
  for (const person of [ann, bob]) {
    await expect.poll(() => person.page.getByText('Deleted', { exact: true }).count()).toBe(2)
    await shows(person, 'no secret', 'no secret')
  }
  await bob.page.reload()
  await shows(bob, 'no secret', 'no secret')
  expect((await storedIn(stage.server.url, address)).map(({ content }) => content)).toEqual([
    '',
    '',
    'no secret',
    'no secret',
  ])
})

test('an answer goes on from where it ended', async () => {
  const ann = await stage.person()
  await ann.signIn('Ann')
  await ann.startChat()
  await talk(ann, 'and so on')
  await button(ann, 'Continue').click()
  await shows(ann, 'and so on', 'and so on and so on')
  await group(ann, 'Answer 2 of 2').waitFor()
})
