// Keys of the planner, and the fields to type into. Everything else is the library's.
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

// v-typed="text": a field that shows `text`, Enter ends it. The page is drawn anew for whatever it is told (a job's
// progress, an answer); a plain `value` would then take away what a hand is typing.
(function () {
  function show(field, text) {
    field.value = text ?? '';
    field.shown = field.value;
  }

  const typed = {
    mounted(field, { value }) {
      field.text = value;
      show(field, value);
      field.addEventListener('keydown', ({ key }) => { if (key === 'Enter') field.blur(); });
      // what was typed and came to nothing does not stay
      field.addEventListener('blur', () => show(field, field.text));
    },
    updated(field, { value }) {
      field.text = value;
      if (document.activeElement !== field || field.value === field.shown) show(field, value);
    },
  };

  window.spinescrew = { install(app) { app.directive('typed', typed); } };
})();
