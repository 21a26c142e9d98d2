import type { Element, ElementContent, Root as HtmlRoot } from 'hast'
import type { Break, Parents, PhrasingContent, Root, Text } from 'mdast'

/** A line break that was typed is a line break that is shown: in a chat people mean it. */
export function breakLines() {
  return (tree: Root) => visit(tree)
}

function visit(parent: Parents): void {
  const children: Parents['children'][number][] = []
  for (const child of parent.children) {
    if (child.type === 'text') children.push(...split(child))
    else children.push(child)
    if ('children' in child) visit(child)
  }
  parent.children = children as typeof parent.children
}

function split(text: Text): PhrasingContent[] {
  return text.value.split(/\r?\n/).flatMap((line, index): PhrasingContent[] => {
    const rest: PhrasingContent[] = line ? [{ type: 'text', value: line }] : []
    const lineBreak: Break = { type: 'break' }
    return index === 0 ? rest : [lineBreak, ...rest]
  })
}

const BLOCKS = new Set([
  ...['p', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'li', 'td', 'th', 'pre', 'code'],
  ...['ul', 'ol', 'blockquote', 'table', 'tbody', 'thead', 'tr'],
])

/** Puts the typing cursor at the end of the last line of text, inside whatever block holds it. */
export function cursorAtEnd() {
  return (tree: HtmlRoot) => {
    let place: HtmlRoot | Element = tree
    for (let next = lastBlock(place); next; next = lastBlock(place)) place = next
    const cursor: ElementContent = {
      type: 'element',
      tagName: 'span',
      properties: { className: ['typing-cursor'], ariaHidden: 'true' },
      children: [],
    }
    place.children.push(cursor)
  }
}

function lastBlock(parent: HtmlRoot | Element): Element | undefined {
  const last = parent.children.findLast((child) => child.type !== 'text' || child.value.trim())
  return last?.type === 'element' && BLOCKS.has(last.tagName) ? last : undefined
}
