import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { expectAccessible } from './support/axe'
import type { Person } from './support/person'
import { fill, roomIdOf, storedIn } from './support/room'
import { setStage } from './support/stage'

const stage = setStage()

const settings = (person: Person) => person.page.getByRole('button', { name: 'This chat' })
const title = (person: Person) => person.page.getByRole('heading', { level: 1 })
const search = (person: Person) => person.page.getByRole('searchbox')
const hits = (person: Person) =>
  person.page.getByRole('region', { name: 'Search results' }).getByRole('link')

async function started(person: Person, said: string): Promise<string> {
  await person.signIn('Ann')
  const address = await person.startChat()
  await person.say(said)
  await person.messages('complete').nth(1).waitFor()
  return address
}

test('a chat is called after what was said first, and as somebody calls it, on every page', async () => {
  const ann = await stage.person()
  const address = await started(ann, '고양이가 밥을 안 먹어요')
  await title(ann).getByText('고양이가 밥을 안 먹어요').waitFor()
  const bob = await stage.person()
  await bob.signIn('Bob')
  await bob.open(address)
  await title(bob).getByText('고양이가 밥을 안 먹어요').waitFor()

  await settings(bob).click()
  await expectAccessible(bob.page)
  const field = bob.dialog.getByLabel('Title')
  await field.fill('Our cat 🐈')
  await field.press('Enter')
  await bob.dialog.waitFor({ state: 'detached' })
  for (const person of [ann, bob]) {
    await title(person).getByText('Our cat 🐈').waitFor()
    await person.page.locator('nav a').getByText('Our cat 🐈').waitFor()
  }
  await ann.page.reload()
  await title(ann).getByText('Our cat 🐈').waitFor()
})

test('a word within words is found, and leads to where it was said, however far back', async () => {
  const ann = await stage.person({ viewport: { width: 1000, height: 600 } })
  const address = await started(ann, '처음에 무지개가 떴다')
  await fill(stage.server.url, address, 130)
  await ann.page.reload()
  await ann.message('number 130').waitFor()
  expect(await ann.message('처음에 무지개가 떴다').count()).toBe(0)

  await search(ann).fill('무지개')
  // What was said, and the answer that repeats it.
  await expect.poll(() => hits(ann).count()).toBe(2)
  await expect.poll(() => hits(ann).nth(1).locator('mark').textContent()).toBe('무지개')
  await hits(ann).nth(1).getByText('You:').waitFor()
  await hits(ann).nth(0).getByText('Echo:').waitFor()
  await expectAccessible(ann.page)
  await hits(ann).nth(1).click()
  const found = ann.message('처음에 무지개가 떴다').first()
  await found.waitFor()
  await expect
    .poll(() =>
      found.evaluate((row) => {
        const { top, bottom } = row.getBoundingClientRect()
        return top >= 0 && bottom <= window.innerHeight
      }),
    )
    .toBe(true)
  await expect
    .poll(() =>
      ann.page.evaluate(() => document.activeElement?.textContent?.includes('무지개') ?? false),
    )
    .toBe(true)
  // It stays there, also when something new is said.
  await fill(stage.server.url, address, 1)
  expect(await ann.distanceToBottom()).toBeGreaterThan(500)

  await search(ann).fill('없는낱말')
  await ann.page.getByText('Nothing found.').waitFor()
  await search(ann).press('Escape')
  await ann.page.getByRole('region', { name: 'Search results' }).waitFor({ state: 'detached' })
})

test('what others say elsewhere is not found', async () => {
  const ann = await stage.person()
  await started(ann, 'the secret of Ann')
  const eve = await stage.person()
  await eve.signIn('Eve')
  await search(eve).fill('secret')
  await eve.page.getByText('Nothing found.').waitFor()
})

test('a chat can be saved as text and as data', async () => {
  const ann = await stage.person({ acceptDownloads: true })
  const address = await started(ann, '내보낼 이야기')
  await title(ann).getByText('내보낼 이야기').waitFor()
  await settings(ann).click()
  for (const [button, ending] of [
    ['As text (Markdown)', '.md'],
    ['As data (JSON)', '.json'],
  ] as const) {
    const [file] = await Promise.all([
      ann.page.waitForEvent('download'),
      ann.dialog.getByRole('button', { name: button }).click(),
    ])
    expect(file.suggestedFilename()).toMatch(/^내보낼 이야기 \d{4}-\d\d-\d\d\./)
    expect(file.suggestedFilename().endsWith(ending)).toBe(true)
    const text = await readFile(await file.path(), 'utf8')
    expect(text).toContain('내보낼 이야기')
    if (ending === '.json') {
      expect(JSON.parse(text).messages).toEqual(await storedIn(stage.server.url, address))
    }
  }
})

test('a chat with two people in it is deleted for both, and nothing brings it back', async () => {
  const ann = await stage.person()
  const address = await started(ann, 'to be deleted')
  const bob = await stage.person()
  await bob.signIn('Bob')
  await bob.open(address)
  await bob.message('to be deleted').first().waitFor()

  // Who did not make it can only leave it.
  await settings(bob).click()
  await bob.dialog.getByRole('button', { name: 'Leave this chat' }).waitFor()
  expect(await bob.dialog.getByRole('button', { name: 'Delete this chat' }).count()).toBe(0)
  await bob.page.keyboard.press('Escape')

  await settings(ann).click()
  await ann.dialog.getByRole('button', { name: 'Delete this chat' }).click()
  await ann.dialog.getByText('cannot be undone').waitFor()
  await expectAccessible(ann.page)
  // The focus is where Enter does no harm.
  await ann.page.keyboard.press('Enter')
  await ann.dialog.getByRole('button', { name: 'Delete this chat' }).click()
  await ann.dialog.getByRole('button', { name: 'Delete this chat' }).click()
  for (const person of [ann, bob]) {
    await person.page.getByText('This chat was deleted.').waitFor()
    await expect.poll(() => person.page.locator('nav a').count()).toBe(0)
  }
  await expect(storedIn(stage.server.url, address)).rejects.toThrow('not_found')
  bob.foresee(/404/)
  await bob.page.goto(address)
  await bob.page.getByText('This room was deleted.').waitFor()
  expect(roomIdOf(address)).not.toBe('')
})

test('one leaves a chat that others keep', async () => {
  const ann = await stage.person()
  const address = await started(ann, 'we two')
  const bob = await stage.person()
  await bob.signIn('Bob')
  await bob.open(address)
  await bob.message('we two').first().waitFor()
  await settings(bob).click()
  await bob.dialog.getByRole('button', { name: 'Leave this chat' }).click()
  await bob.dialog.getByRole('button', { name: 'Leave this chat' }).click()
  await bob.page.getByText('Choose a character or a chat').waitFor()
  await ann.page.locator('nav a').first().waitFor()
})

test('on a phone the header has room for the title, and the link is in the menu', async () => {
  const ann = await stage.person({
    viewport: { width: 390, height: 844 },
    permissions: ['clipboard-read', 'clipboard-write'],
  })
  const address = await started(ann, '고양이가 밥을 안 먹어요. 어떻게 하면 좋을까요?')
  await title(ann).getByText('고양이가').waitFor()
  const [header, shown] = await Promise.all(
    [ann.page.locator('main header'), title(ann)].map((each) => each.boundingBox()),
  )
  if (!header || !shown) throw new Error('nothing is shown')
  expect(shown.width).toBeGreaterThan(header.width / 3)
  expect(shown.y - header.y).toBeGreaterThan(8)

  await settings(ann).click()
  await ann.dialog.getByRole('button', { name: 'Copy link' }).click()
  await ann.dialog.getByRole('button', { name: 'Copied' }).waitFor()
  expect(await ann.page.evaluate(() => navigator.clipboard.readText())).toBe(address)
  await expectAccessible(ann.page)
})
