// Keys of the planner. Everything else is the library's.
(function () {
  const PLAIN = ['[', ']', '+', '-', '.', ',', 'a', 'm', 'r', 'l', 'v', 'Delete', 'PageUp', 'PageDown',
    'ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown'];

  function name(event) {
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (event.ctrlKey || event.metaKey) {
      return ['z', 'y'].includes(key) ? `Ctrl+${event.shiftKey ? 'Shift+' : ''}${key}` : '';
    }
    if (event.altKey) return '';
    if (event.shiftKey && key.startsWith('Arrow')) return `Shift+${key}`;
    return PLAIN.includes(key) ? key : '';
  }

  function typing({ target, key }) {
    if (!(target instanceof Element)) return false;
    if (target.closest('input:not([type=checkbox]), textarea, .v-overlay')) return true;
    return target.closest('[role=slider]') && /^(Arrow|Page|Home|End)/.test(key);
  }

  // before the views hear them: there a letter would mean something else
  window.addEventListener('keydown', (event) => {
    if (typing(event)) return;
    const pressed = name(event);
    if (pressed) {
      event.preventDefault();
      window.trame.trigger('key', [pressed]);
    }
    // a button that has the focus would hear it too
    if (pressed || (event.target instanceof Element && event.target.closest('.pane'))) event.stopPropagation();
  }, true);
})();
