import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { expectAccessible } from './support/axe'
import { Endpoint } from './support/endpoint'
import { setStage } from './support/stage'

// What a model thinks and what it was asked, on the page.

const endpoint = new Endpoint()
const folder = await mkdtemp(join(tmpdir(), 'rejoinder-model-'))
const described = join(folder, 'characters.toml')
await writeFile(
  described,
  `[endpoints.main]
base_url = "${await endpoint.start()}"
model = "m1"
show_thoughts = true

[[characters]]
id = "bard"
name = "Bard"
endpoint = "main"

[[characters]]
id = "sage"
name = "Sage"
system_prompt = "You are Sage."
endpoint = "main"
`,
)
const stage = setStage({ REJOINDER_CHARACTERS: described })

afterAll(async () => {
  endpoint.stop()
  await rm(folder, { recursive: true })
})

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve: (() => void) | undefined
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve: () => resolve?.() }
}

test('thoughts are folded away, and gone when the answer is there; who asked sees the prompt', async () => {
  const { promise: until, resolve: say } = withResolvers()
  endpoint.scripts.push({ thoughts: 'They greet me.', text: 'Hello.', until })
  const ann = await stage.person()
  await ann.signIn('Ann')
  const address = await ann.startChat('Sage')
  await ann.say('Hi!')

  const thoughts = ann.page.getByText('They greet me.')
  const summary = ann.page.getByText('Thinking …')
  await summary.waitFor()
  expect(await thoughts.isVisible()).toBe(false)
  await summary.focus()
  await ann.page.keyboard.press('Enter')
  await thoughts.waitFor()
  await expectAccessible(ann.page)

  say()
  await ann.message('Hello.').waitFor()
  await ann.messages('complete').nth(1).waitFor()
  await thoughts.waitFor({ state: 'detached' })

  await ann.page.reload()
  await ann.page.getByRole('button', { name: 'Show the prompt' }).click()
  await ann.dialog.getByText('m1 · 12 tokens asked, 3 answered').waitFor()
  expect(await ann.dialog.getByRole('listitem').allTextContents()).toEqual([
    'InstructionsYou are Sage.',
    'PeopleHi!',
  ])
  expect(endpoint.asked.at(-1)).toEqual([
    { role: 'system', content: 'You are Sage.' },
    { role: 'user', content: 'Hi!' },
  ])
  await expectAccessible(ann.page)
  await ann.page.keyboard.press('Escape')
  await ann.dialog.waitFor({ state: 'detached' })

  const bob = await stage.person()
  await bob.signIn('Bob', '/')
  await bob.open(address)
  await bob.message('Hello.').waitFor()
  expect(await bob.page.getByRole('button', { name: 'Show the prompt' }).count()).toBe(0)
})

test('several characters: who is named answers, else they take turns, and each knows who said what', async () => {
  const ann = await stage.person()
  await ann.signIn('Ann')
  await ann.startChat('Sage')
  await ann.page.getByRole('combobox', { name: 'Bring in a character' }).selectOption('Bard')
  const speakTo = ann.page.getByRole('button', { name: 'Speak to Bard' })
  await speakTo.waitFor()
  await ann.page.locator('main header p').getByText('Sage, Bard').waitFor()
  await expectAccessible(ann.page)

  const answered = async (text: string) => {
    endpoint.scripts.push({ text })
    await ann.message(text).waitFor()
    await ann.messages('streaming').first().waitFor({ state: 'detached' })
  }
  // In the order in which they came.
  const before = endpoint.asked.length
  await Promise.all([answered('First.'), ann.say('Who begins?')])
  // It says who would answer.
  await ann.page.getByPlaceholder('Message to Bard').waitFor()
  await Promise.all([answered('Second.'), ann.say('And then?')])
  await speakTo.focus()
  await ann.page.keyboard.press('Enter')
  await ann.page.keyboard.type('and you?')
  await Promise.all([answered('Third.'), ann.page.keyboard.press('Enter')])

  const [first = [], second = [], third = []] = endpoint.asked.slice(before)
  expect(first.map(({ role }) => role)).toEqual(['system', 'user'])
  // Bard has no instructions of its own but that several speak, and Sage's line is not its own.
  expect(second.at(-1)?.content).toBe('Ann: Who begins?\n\nSage: First.\n\nAnn: And then?')
  expect(third.slice(1).map(({ role }) => role)).toEqual(['user', 'assistant', 'user'])
  expect(third.at(-1)?.content).toBe('Ann: @Bard and you?')
})
