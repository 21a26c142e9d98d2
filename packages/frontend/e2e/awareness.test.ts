import { expect, test } from 'vitest'
import { expectAccessible } from './support/axe'
import { canLookAway, look } from './support/looks'
import type { Person } from './support/person'
import { fill, roomIdOf, Visitor } from './support/room'
import { setStage } from './support/stage'

const stage = setStage({ REJOINDER_PRESENCE_GRACE: '0.5' })

/** What the list of chats says of how much is unread in a room. */
const badge = ({ page }: Person, address: string) =>
  page.locator(`nav a[href="${new URL(address).hash}"] .rejoinder-badge`)

const line = ({ page }: Person) => page.locator('[data-key="new-line"]')

/** What the member list says of somebody. */
async function shown({ page }: Person, name: string): Promise<string | null> {
  const members = page.getByRole('region', { name: 'Members' })
  if (!(await members.isVisible())) await page.getByRole('button', { name: /members?$/ }).click()
  return members.locator('li').filter({ hasText: name }).first().textContent()
}

async function signedIn(name: string, locale?: string): Promise<Person> {
  const person = await stage.person(locale === undefined ? {} : { locale })
  await canLookAway(person)
  await person.signIn(name)
  return person
}

/** Starts another room; its address. */
async function startAnother(person: Person, before: string): Promise<string> {
  await person.startChat()
  await person.page.waitForURL((url) => url.href !== before)
  return person.page.url()
}

/** Goes to a room of the list, without loading the page anew. */
async function goTo({ page }: Person, address: string): Promise<void> {
  await page.locator(`nav a[href="${new URL(address).hash}"]`).click()
  await page.waitForURL(address)
}

test('a person is away while the page is hidden, and is back with it', async () => {
  const [ann, bob] = [await signedIn('Ann'), await signedIn('Bob')]
  const address = await ann.startChat()
  await bob.open(address)
  await expect.poll(() => shown(ann, 'Bob'), { timeout: 20_000 }).toContain('Online')
  await look(bob, 'hidden')
  await expect.poll(() => shown(ann, 'Bob'), { timeout: 20_000 }).toContain('Away')
  await expectAccessible(ann.page)
  await look(bob, 'here')
  await expect.poll(() => shown(ann, 'Bob'), { timeout: 20_000 }).toContain('Online')

  // Beside what somebody has written, too; and who has gone was last seen a moment ago.
  await bob.say('hello')
  const message = ann.page.getByRole('article', { name: 'Message by Bob' }).first()
  await message.getByRole('img', { name: 'Online' }).waitFor()
  await bob.page.goto('about:blank')
  await message.getByRole('img', { name: 'Offline' }).waitFor()
  expect(await shown(ann, 'Bob')).toContain('Last seen')
})

test('who hides it is not shown with when they were last seen', async () => {
  const [ann, bob] = [await signedIn('Ann'), await signedIn('Bob')]
  const address = await ann.startChat()
  await bob.openSettings()
  await bob.page.getByLabel('Hide when I was last seen').check()
  await expect
    .poll(() => bob.page.getByLabel('Hide when I was last seen').isChecked(), { timeout: 20_000 })
    .toBe(true)
  await bob.open(address)
  await bob.page.reload()
  await bob.composer.waitFor()
  expect(await bob.page.getByLabel('Hide when I was last seen').isChecked()).toBe(true)
  await expect.poll(() => shown(ann, 'Bob'), { timeout: 20_000 }).toContain('Online')
  await bob.page.goto('about:blank')
  await expect.poll(() => shown(ann, 'Bob'), { timeout: 20_000 }).toContain('Offline')
  expect(await shown(ann, 'Bob')).not.toContain('Last seen')
  await ann.page.reload()
  await ann.composer.waitFor()
  await expect.poll(() => shown(ann, 'Bob'), { timeout: 20_000 }).toContain('Offline')
})

test('a character thinks and writes, beside its name', async () => {
  const ann = await signedIn('Ann')
  await ann.startChat()
  const header = ann.page.locator('main header .rejoinder-presence').first()
  await header.getByText('Ready').waitFor()
  await ann.say('/count 1000 20')
  await header.getByText('Writing…').waitFor()
  await ann.page.getByText('Read by Echo').waitFor()
  await ann.page.getByRole('button', { name: 'Stop the answer' }).click()
  await header.getByText('Ready').waitFor()
})

test('only a message that is in view on a visible, focused page is read', async () => {
  const [ann, bob] = [await signedIn('Ann'), await signedIn('Bob')]
  const address = await ann.startChat()
  await bob.page.setViewportSize({ width: 800, height: 500 })
  await bob.open(address)
  await fill(stage.server.url, address, 20)
  await bob.message('number 20').waitFor()
  const read = ann.page.getByText('Read', { exact: true })

  await look(bob, 'elsewhere')
  await ann.say('first')
  await bob.message('first').first().waitFor()
  await look(bob, 'hidden')
  await look(bob, 'elsewhere')
  expect(await read.count()).toBe(0)
  await look(bob, 'here')
  await read.waitFor()

  // Further up, the end of the conversation is not in view.
  await bob.conversation.hover()
  await bob.page.mouse.wheel(0, -600)
  await bob.page.getByRole('button', { name: 'To the newest message' }).waitFor()
  await ann.say('second')
  await bob.page.getByRole('button', { name: 'New messages' }).waitFor()
  await ann.messages('complete').getByText('second').nth(1).waitFor()
  expect(await read.count()).toBe(0)
  await bob.page.getByRole('button', { name: 'New messages' }).click()
  await read.waitFor()
})

test('what is unread is counted in rooms that are not in view, and gone once it is read', async () => {
  const bob = await signedIn('Bob')
  const first = await bob.startChat()
  await bob.say('hello')
  await bob.messages('complete').nth(1).waitFor()
  const second = await startAnother(bob, first)
  const ann = await Visitor.enter(stage.server.url, roomIdOf(first), 'Ann')
  await ann.say('one')
  await ann.say('two')
  await badge(bob, first).getByText('2 new messages').waitFor()
  await expect.poll(() => bob.page.title(), { timeout: 20_000 }).toMatch(/^\(2\) /)
  await expectAccessible(bob.page)

  // It comes as it happens, without that the list is asked for.
  await ann.say('three')
  await badge(bob, first).getByText('3 new messages').waitFor()
  await bob.page
    .locator(`nav a[href="${new URL(first).hash}"]`)
    .getByText('three')
    .waitFor()
  await goTo(bob, first)
  await bob.message('three').waitFor()
  await line(bob).waitFor()
  expect(await line(bob).count()).toBe(1)
  await badge(bob, first).waitFor({ state: 'detached' })
  await expect.poll(() => bob.page.title(), { timeout: 20_000 }).not.toMatch(/^\(/)
  // It stays where it is while one reads on.
  await ann.say('four')
  await bob.message('four').waitFor()
  const texts = await bob.conversation.locator('[data-key]').allInnerTexts()
  expect(texts.findIndex((text) => text.includes('New messages'))).toBeLessThan(
    texts.findIndex((text) => text.includes('one')),
  )

  await goTo(bob, second)
  await goTo(bob, first)
  await bob.message('four').waitFor()
  await expect.poll(() => line(bob).count(), { timeout: 20_000 }).toBe(0)
  ann.leave()
})

test('the view begins where one left off, and reads on from there', async () => {
  const bob = await signedIn('Bob')
  await bob.page.setViewportSize({ width: 900, height: 500 })
  const first = await bob.startChat()
  await bob.say('hello')
  await bob.messages('complete').nth(1).waitFor()
  await startAnother(bob, first)
  await fill(stage.server.url, first, 30)
  await badge(bob, first).getByText('30 new messages').waitFor()
  await goTo(bob, first)
  await line(bob).waitFor()
  const place = await line(bob).evaluate((element) => element.getBoundingClientRect().top)
  expect(place).toBeGreaterThanOrEqual(0)
  expect(place).toBeLessThan(500)
  expect(await bob.distanceToBottom()).toBeGreaterThan(100)
  await expect.poll(() => badge(bob, first).count(), { timeout: 20_000 }).toBe(0)
  await startAnother(bob, first)
  // What was below the view is not read yet.
  const left = badge(bob, first).locator('[aria-hidden]')
  await left.waitFor()
  expect(Number(await left.textContent())).toBeLessThan(30)
})

test('what is read in one tab is read in the others', async () => {
  const bob = await signedIn('Bob')
  const first = await bob.startChat()
  await bob.say('hello')
  await bob.messages('complete').nth(1).waitFor()
  await startAnother(bob, first)
  const ann = await Visitor.enter(stage.server.url, roomIdOf(first), 'Ann')
  await ann.say('news')
  await badge(bob, first).getByText('1 new message').waitFor()
  const other = await stage.tab(bob)
  await other.open(first)
  await other.message('news').waitFor()
  await badge(bob, first).waitFor({ state: 'detached' })
  // It is in view there: the other tab takes nothing of it away.
  await ann.say('/count 3')
  await other.message('/count 3').waitFor()
  ann.leave()
})

interface Shown {
  title: string
  body: string
  tag: string
  click: () => void
}

/** Keeps what is shown; the notifications are the browser's own. */
async function keepNotifications({ page }: Person): Promise<void> {
  await page.addInitScript(() => {
    const shown: unknown[] = []
    const Real = window.Notification
    class Kept extends Real {
      constructor(title: string, options?: NotificationOptions) {
        super(title, options)
        const { body, tag } = this
        shown.push({ title, body, tag, click: () => this.onclick?.(new Event('click')) })
      }
    }
    Object.assign(window, { Notification: Kept, shown })
  })
}

const notifications = ({ page }: Person) =>
  page.evaluate(() =>
    (window as unknown as { shown: Shown[] }).shown.map(({ title, body, tag }) => [
      title,
      body,
      tag !== '',
    ]),
  )

test('notifies of what comes in rooms that are not in view, where that is wanted', async () => {
  const bob = await stage.person({ permissions: ['notifications'] })
  await canLookAway(bob)
  await keepNotifications(bob)
  await bob.signIn('Bob')
  const first = await bob.startChat()
  await bob.say('hello')
  await bob.messages('complete').nth(1).waitFor()
  const second = await startAnother(bob, first)
  const ann = await Visitor.enter(stage.server.url, roomIdOf(first), 'Ann')
  await ann.say('nobody asked for it')
  await badge(bob, first).waitFor()

  await bob.openSettings()
  const choice = bob.page.getByLabel('Notifications')
  await choice.selectOption('Notifications')
  await ann.say('**look** here')
  await expect
    .poll(() => notifications(bob), { timeout: 20_000 })
    .toEqual([['Guest in hello', 'look here', true]])
  await choice.selectOption('Notifications without text')
  await ann.say('a secret')
  await expect
    .poll(async () => (await notifications(bob)).at(-1)?.[1], { timeout: 20_000 })
    .toBe('New message')
  // A click leads there; what is in view there needs none, until the page is hidden.
  await bob.page.evaluate(() => (window as unknown as { shown: Shown[] }).shown.at(-1)?.click())
  await bob.page.waitForURL(first)
  await bob.message('a secret').waitFor()
  expect(second).not.toBe(first)
  await look(bob, 'hidden')
  await ann.say('while it is hidden')
  await expect.poll(async () => (await notifications(bob)).length, { timeout: 20_000 }).toBe(3)
  ann.leave()
})
